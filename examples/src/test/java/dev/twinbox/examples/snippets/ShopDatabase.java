package dev.twinbox.examples.snippets;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/** A fresh database with the tables that the snippets write to, and Twinbox's. */
final class ShopDatabase {
  final TestDatabase database = TestPostgres.shared().createDatabase();
  final DataSource dataSource;
  final DSLContext db;

  ShopDatabase() {
    dataSource = database.dataSource();
    db = DSL.using(dataSource, SQLDialect.POSTGRES);
    Setup.migrate(dataSource);
    db.execute(
        """
        create table orders (id text primary key, customer text not null, cents bigint not null,
          state text not null default 'open', paid_times int not null default 0);
        create table account (customer text primary key, cents bigint not null);
        create table customer (id text primary key, email text not null, version bigint not null);
        create table favourite (customer text, product text, primary key (customer, product));
        create table invoice (order_id text not null);
        insert into account values ('ann', 0);
        """);
  }

  /** The only value of a query, as text. */
  String one(String query) {
    return String.valueOf(db.fetchValue(query));
  }

  /** As a consumer would hand it over; its id is a UUIDv7 of now. */
  static Delivery delivery() {
    long now = System.currentTimeMillis();
    UUID id = new UUID(now << 16 | 0x7000L, 0x8000_0000_0000_0001L);
    return Delivery.builder()
        .id(id.toString())
        .source("/shop/orders")
        .type("order.placed")
        .destination("kafka:orders")
        .key("o-1")
        .contentType("application/json")
        .payload(new byte[0])
        .origin("kafka:orders/0/0")
        .build();
  }
}
