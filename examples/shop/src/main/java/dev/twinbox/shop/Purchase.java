package dev.twinbox.shop;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.util.UUID;

/** A customer's order. */
@Entity
public class Purchase {
  @Id private String id = "";
  private String customer = "";
  private long cents;
  private boolean shipped;

  protected Purchase() {}

  Purchase(String customer, long cents) {
    id = UUID.randomUUID().toString();
    this.customer = customer;
    this.cents = cents;
  }

  public String getId() {
    return id;
  }

  public String getCustomer() {
    return customer;
  }

  public long getCents() {
    return cents;
  }

  public boolean isShipped() {
    return shipped;
  }

  void ship() {
    shipped = true;
  }
}
