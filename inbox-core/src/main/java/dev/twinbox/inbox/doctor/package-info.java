/**
 * Checks of what messages depend on, before any is lost: settings of servers that are read, judged
 * and, where messages could be lost, refused.
 */
@NullMarked
package dev.twinbox.inbox.doctor;

import org.jspecify.annotations.NullMarked;
