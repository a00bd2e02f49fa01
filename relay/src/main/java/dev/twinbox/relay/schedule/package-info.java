/** What runs when: Quartz jobs for the lanes of this relay, and upkeep on one relay of all. */
@NullMarked
package dev.twinbox.relay.schedule;

import org.jspecify.annotations.NullMarked;
