package dev.twinbox.shop;

import dev.twinbox.outbox.Outbox;
import org.springframework.http.HttpStatus;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** What customers ask for. */
@RestController
class Orders {
  private final Purchases purchases;
  private final Accounts accounts;
  private final Outbox outbox;

  Orders(Purchases purchases, Accounts accounts, Outbox outbox) {
    this.purchases = purchases;
    this.accounts = accounts;
    this.outbox = outbox;
  }

  record Order(String customer, long cents) {}

  @PostMapping("/orders")
  @ResponseStatus(HttpStatus.CREATED)
  // docs: shop-enqueue
  @Transactional
  public Purchase place(@RequestBody Order order) {
    Purchase purchase = purchases.save(new Purchase(order.customer(), order.cents()));
    outbox.enqueue(new OrderPlaced(purchase.getId(), order.customer(), order.cents()));
    return purchase;
  }

  // docs: end

  @GetMapping("/orders/{id}")
  public Purchase order(@PathVariable String id) {
    return purchases
        .findById(id)
        .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND));
  }

  @GetMapping("/accounts/{customer}")
  public Account account(@PathVariable String customer) {
    return accounts.findById(customer).orElseGet(() -> new Account(customer));
  }
}
