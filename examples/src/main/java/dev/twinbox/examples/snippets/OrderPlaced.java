package dev.twinbox.examples.snippets;

/** What the shop says about an order. */
// docs: order-placed
public record OrderPlaced(String id, String customer, long cents) {}
// docs: end
