package dev.twinbox.shop;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** What a customer owes. */
@Entity
public class Account {
  @Id private String customer = "";
  private long cents;

  protected Account() {}

  Account(String customer) {
    this.customer = customer;
  }

  public String getCustomer() {
    return customer;
  }

  public long getCents() {
    return cents;
  }
}
