package dev.twinbox.spring.shop;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** A business row, by JPA. */
@Entity
public class Purchase {
  @Id private String id = "";

  /** For Hibernate. */
  protected Purchase() {}

  Purchase(String id) {
    this.id = id;
  }

  /** Its number. */
  public String getId() {
    return id;
  }
}
