/** The whole way through, from a shop's orders to a customer's balance, on servers of its own. */
@NullMarked
package dev.twinbox.examples.demo;

import org.jspecify.annotations.NullMarked;
