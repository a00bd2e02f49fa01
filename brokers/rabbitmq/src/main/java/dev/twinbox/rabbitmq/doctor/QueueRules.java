package dev.twinbox.rabbitmq.doctor;

import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which settings of a queue can lose messages. */
final class QueueRules {
  private static final int DEFAULT_DELIVERY_LIMIT = 20;

  private final RabbitFacts facts;
  private final QueueFacts queue;
  private final String subject;
  private final List<Finding> findings = new ArrayList<>();

  QueueRules(RabbitFacts facts, String subject, QueueFacts queue) {
    this.facts = facts;
    this.subject = subject;
    this.queue = queue;
  }

  /**
   * Looks at one queue.
   *
   * @param key the routing key of its messages, as far as it is one, for where they are
   *     dead-lettered to
   * @param others whether the messages are in another queue too, which keeps them
   */
  List<Finding> judge(@Nullable String key, boolean others) throws UnreadableException {
    kept(others);
    if (!queue.isKept() && others) {
      return findings; // a copy, for somebody who can do without
    }
    if (queue.isStream()) {
      streamRetention();
    } else {
      losses(key);
      order();
    }
    replicas();
    return findings;
  }

  /** Whether what leaves the queue before its time is in another one by then. */
  boolean deadLettersForCertain(String key) throws UnreadableException {
    String exchange = queue.text("dead-letter-exchange");
    if (exchange == null || !isConfirmed()) {
      return false;
    }
    deadLetterRoute(exchange, key);
    return findings.isEmpty();
  }

  private boolean isConfirmed() {
    return queue.isQuorum()
        && "at-least-once".equals(queue.text("dead-letter-strategy"))
        && "reject-publish".equals(queue.text("overflow"));
  }

  private void kept(boolean others) {
    String temporary = queue.temporary();
    if (!queue.isDurable()) {
      add(
          others,
          RabbitCheck.QUEUE_NOT_DURABLE,
          "durable=false" + beside(others),
          "Delete it and declare it with durable=true.");
    }
    if (temporary != null) {
      add(
          others,
          RabbitCheck.QUEUE_TEMPORARY,
          temporary + beside(others),
          "Declare it durable, not exclusive, not auto-delete, and without x-expires.");
    }
  }

  private static String beside(boolean others) {
    return others ? ", beside a queue that keeps the messages" : "";
  }

  private void losses(@Nullable String key) throws UnreadableException {
    Long ttl = queue.number("message-ttl");
    Long limit = deliveryLimit();
    String dropsAt = dropsAt();
    String deadLetters = queue.text("dead-letter-exchange");
    if (deadLetters != null) {
      deadLetterRoute(deadLetters, key);
      confirmedDeadLetters(ttl, limit, dropsAt);
      return;
    }
    if (ttl != null) {
      danger(
          RabbitCheck.MESSAGE_TTL,
          "message-ttl=%s without a dead-letter exchange".formatted(ttl),
          "Remove it, or give the queue a dead-letter exchange. A message's own expiry is ttl(...)"
              + " of the Message.");
    }
    if (limit != null) {
      danger(
          RabbitCheck.DELIVERY_LIMIT,
          "delivery-limit=%s without a dead-letter exchange".formatted(limit),
          "Give the queue a dead-letter exchange"
              + (facts.majorVersion() >= 4 ? ", or delivery-limit=-1." : ", or no limit."));
    }
    if (dropsAt != null) {
      danger(
          RabbitCheck.QUEUE_DROPS_OLDEST,
          dropsAt + " with overflow=drop-head",
          "Set overflow to reject-publish: the relay then waits and tries again.");
    }
  }

  /** Since version 4 quorum queues have one without asking. */
  private @Nullable Long deliveryLimit() throws UnreadableException {
    if (!queue.isQuorum()) {
      return null;
    }
    Long limit = queue.number("delivery-limit");
    if (limit == null && facts.majorVersion() >= 4) {
      return (long) DEFAULT_DELIVERY_LIMIT;
    }
    return limit == null || limit < 0 ? null : limit;
  }

  private @Nullable String dropsAt() {
    Long length = queue.number("max-length");
    Long bytes = queue.number("max-length-bytes");
    String overflow = queue.text("overflow");
    boolean drops = overflow == null || overflow.equals("drop-head");
    if (!drops || (length == null && bytes == null)) {
      return null;
    }
    return length == null ? "max-length-bytes=" + bytes : "max-length=" + length;
  }

  private void deadLetterRoute(String exchange, @Nullable String key) throws UnreadableException {
    if (!exchange.isEmpty() && facts.exchange(exchange).isEmpty()) {
      danger(
          RabbitCheck.DEAD_LETTER_EXCHANGE_MISSING,
          "dead-letter-exchange=" + exchange + " does not exist",
          "Declare it, durable, and bind a durable queue to it.");
      return;
    }
    String own = queue.text("dead-letter-routing-key");
    String used = own == null ? key : own;
    if (exchange.isEmpty() && used == null) {
      return; // to the queue of each message's own routing key
    }
    Set<String> reached = facts.reached(exchange, used);
    boolean keeps = false;
    for (String name : reached) {
      keeps |= facts.queue(name).map(QueueFacts::isKept).orElse(false);
    }
    if (!keeps) {
      danger(
          RabbitCheck.DEAD_LETTER_NO_ROUTE,
          "dead-letter-exchange=%s leads to no durable queue%s"
              .formatted(exchange, used == null ? "" : " for the routing key " + used),
          "Bind a durable queue to it.");
    }
  }

  /** Only quorum queues confirm, and only where a full one refuses what comes in. */
  private void confirmedDeadLetters(
      @Nullable Long ttl, @Nullable Long limit, @Nullable String dropsAt) {
    String cause =
        ttl != null ? "message-ttl=" + ttl : limit != null ? "delivery-limit=" + limit : dropsAt;
    if (cause == null) {
      return;
    }
    if (!isConfirmed()) {
      danger(
          RabbitCheck.DEAD_LETTER_AT_MOST_ONCE,
          "%s queue with %s and dead-letter-strategy=at-most-once".formatted(queue.type(), cause),
          "Use a quorum queue with dead-letter-strategy=at-least-once and"
              + " overflow=reject-publish.");
    } else if (ttl != null) {
      findings.add(
          Finding.warning(
              RabbitCheck.MESSAGE_TTL,
              subject,
              cause + ", then dead-lettered",
              "Remove it, unless consumers are never down for so long."));
    }
  }

  private void streamRetention() {
    String age = queue.text("max-age");
    Long bytes = queue.number("max-length-bytes");
    if (age != null || bytes != null) {
      findings.add(
          Finding.warning(
              RabbitCheck.QUEUE_DROPS_OLDEST,
              subject,
              age == null ? "max-length-bytes=" + bytes : "max-age=" + age,
              "Keep more than the longest outage of a consumer."));
    }
  }

  private void order() {
    if (!queue.flag("single-active-consumer")) {
      findings.add(
          Finding.warning(
              RabbitCheck.NO_SINGLE_ACTIVE_CONSUMER,
              subject,
              "x-single-active-consumer is not set",
              "Declare it with x-single-active-consumer=true, or consume it with one channel."));
    }
  }

  private void replicas() throws UnreadableException {
    if (queue.copies() < 2) {
      int nodes = Math.max(1, facts.nodes().size());
      findings.add(
          Finding.warning(
              RabbitCheck.QUEUE_NOT_REPLICATED,
              subject,
              "%s queue on one of %s nodes".formatted(queue.type(), nodes),
              nodes > 1
                  ? "Declare it with x-queue-type=quorum."
                  : "Run three nodes, and declare it with x-queue-type=quorum."));
    }
  }

  private void add(boolean mild, Check check, String value, String remedy) {
    if (mild) {
      findings.add(Finding.warning(check, subject, value, remedy));
    } else {
      danger(check, value, remedy);
    }
  }

  private void danger(Check check, String value, String remedy) {
    findings.add(Finding.danger(check, subject, value, remedy));
  }
}
