package dev.twinbox.shop;

import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.CrudRepository;

/** All customers' accounts. */
interface Accounts extends CrudRepository<Account, String> {
  /** Adds to an account, which begins with a customer's first order. */
  @Modifying
  @Query(
      value =
          """
          insert into account (customer, cents) values (:customer, :cents)
          on conflict (customer) do update set cents = account.cents + excluded.cents
          """,
      nativeQuery = true)
  void charge(String customer, long cents);
}
