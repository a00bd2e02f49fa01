/** The shop on servers of its own; no part of the service. */
@NullMarked
package dev.twinbox.shop.local;

import org.jspecify.annotations.NullMarked;
