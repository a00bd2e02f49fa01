package com.example.shop;

/** A user's code, which fails in two places. */
public final class Billing {
  private Billing() {}

  /** Fails by itself. */
  public static void charge(int customer) {
    throw new IllegalStateException("No customer " + customer);
  }

  /** Fails inside the JDK. */
  public static void ship(int customer) {
    Integer.parseInt("customer " + customer);
  }
}
