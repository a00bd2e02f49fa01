package dev.twinbox.shop;

import org.springframework.data.repository.CrudRepository;

/** All orders. */
interface Purchases extends CrudRepository<Purchase, String> {}
