package dev.twinbox.rabbitmq.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One look at a RabbitMQ virtual host; each exchange and queue is asked for once, however often it
 * is met. Nothing is thrown: what cannot be read is a finding. For one thread.
 */
public final class RabbitExamination {
  private static final String HOW_TO_READ =
      "Set management.uri, as in rabbitmq.management.uri=http://host:15672, and give the user the"
          + " tag 'monitoring'.";

  private final String broker;
  private final @Nullable RabbitFacts facts;

  /**
   * @param broker what it is called in findings: {@code rabbitmq}, {@code rabbitmq@eu}
   * @param management where to ask, or null when that is not known
   */
  public RabbitExamination(String broker, @Nullable RabbitManagement management) {
    this.broker = broker;
    facts = management == null ? null : new RabbitFacts(management);
  }

  /** Looks at what is true of the whole broker. */
  public List<Finding> node() {
    return reading(
        broker,
        known -> {
          List<Finding> findings = new ArrayList<>();
          for (JsonNode node : known.nodes()) {
            String name = broker + " node " + node.path("name").asText();
            alarm(node, "mem_alarm", name, "memory", findings);
            alarm(node, "disk_free_alarm", name, "disk", findings);
          }
          if (findings.isEmpty()) {
            findings.add(Finding.ok(broker, "%s nodes, no alarm".formatted(known.nodes().size())));
          }
          return findings;
        });
  }

  private static void alarm(
      JsonNode node, String name, String subject, String what, List<Finding> findings) {
    if (node.path(name).asBoolean()) {
      findings.add(
          Finding.warning(
              CommonCheck.ALARM,
              subject,
              what + " alarm",
              "Free %s, or give the node more of it.".formatted(what)));
    }
  }

  /**
   * Looks at an exchange and a routing key, and at every queue that such a message reaches.
   *
   * @param exchange empty for the default exchange
   */
  public List<Finding> destination(String exchange, String routingKey) {
    String subject = "%s:%s/%s".formatted(broker, exchange, routingKey);
    return reading(
        subject,
        known -> {
          List<Finding> findings = new ArrayList<>();
          if (!exchange.isEmpty()) {
            Optional<JsonNode> found = known.exchange(exchange);
            if (found.isEmpty()) {
              return List.of(
                  Finding.danger(
                      RabbitCheck.EXCHANGE_MISSING,
                      subject,
                      "no exchange " + exchange,
                      "Declare it with durable=true."));
            }
            exchange(known, exchange, found.get(), findings);
          }
          route(known, subject, exchange, routingKey, findings);
          if (findings.isEmpty()) {
            findings.add(Finding.ok(subject, "durable, and every queue keeps what it has"));
          }
          return findings;
        });
  }

  private void exchange(RabbitFacts known, String name, JsonNode exchange, List<Finding> findings)
      throws UnreadableException {
    String subject = "%s exchange %s".formatted(broker, name);
    if (!exchange.path("durable").asBoolean()) {
      findings.add(
          Finding.danger(
              RabbitCheck.EXCHANGE_NOT_DURABLE,
              subject,
              "durable=false",
              "Delete it and declare it with durable=true."));
    }
    if (exchange.path("auto_delete").asBoolean()) {
      findings.add(
          Finding.warning(
              RabbitCheck.EXCHANGE_AUTO_DELETE,
              subject,
              "auto_delete=true",
              "Delete it and declare it without auto-delete."));
    }
    String alternate = known.alternate(exchange);
    if (alternate != null) {
      findings.add(
          Finding.danger(
              RabbitCheck.ALTERNATE_EXCHANGE,
              subject,
              "alternate-exchange=" + alternate,
              "Remove it: the relay itself notices what has no route, waits, and keeps it."));
    }
  }

  private void route(
      RabbitFacts known, String subject, String exchange, String routingKey, List<Finding> findings)
      throws UnreadableException {
    List<QueueFacts> queues = new ArrayList<>();
    Set<String> names = known.reached(exchange, routingKey);
    for (String name : names) {
      known.queue(name).ifPresent(queues::add);
    }
    if (queues.isEmpty()) {
      findings.add(
          Finding.danger(
              RabbitCheck.NO_ROUTE,
              subject,
              exchange.isEmpty() ? "no queue " + routingKey : "no queue is bound for it",
              exchange.isEmpty()
                  ? "Declare the queue, durable."
                  : "Bind a durable queue to the exchange."));
    }
    boolean kept = queues.stream().anyMatch(QueueFacts::isKept);
    for (QueueFacts queue : queues) {
      boolean others = kept && !queue.isKept();
      findings.addAll(
          new QueueRules(known, queueSubject(queue.name()), queue).judge(routingKey, others));
    }
  }

  /**
   * Whether a message that expires in any of the queues it reaches is kept for certain: each of
   * them dead-letters at least once, to a durable queue. False also where that cannot be read.
   */
  public boolean deadLettersWhatExpires(String exchange, String routingKey) {
    RabbitFacts known = facts;
    if (known == null) {
      return false;
    }
    try {
      Set<String> names = known.reached(exchange, routingKey);
      for (String name : names) {
        Optional<QueueFacts> queue = known.queue(name);
        if (queue.isEmpty()
            || !new QueueRules(known, name, queue.get()).deadLettersForCertain(routingKey)) {
          return false;
        }
      }
      return !names.isEmpty();
    } catch (UnreadableException | LinkageError e) {
      return false;
    }
  }

  /** Looks at a queue from the side of those who consume it. */
  public List<Finding> queue(String name) {
    String subject = queueSubject(name);
    return reading(
        subject,
        known -> {
          Optional<QueueFacts> found = known.queue(name);
          if (found.isEmpty()) {
            return List.of(
                Finding.danger(
                    RabbitCheck.QUEUE_MISSING,
                    subject,
                    "does not exist",
                    "Declare it, durable, and bind it."));
          }
          QueueFacts queue = found.get();
          List<Finding> findings = new ArrayList<>();
          findings.addAll(new QueueRules(known, subject, queue).judge(null, false));
          findings.add(patience(subject, queue));
          return findings;
        });
  }

  /** The node's own limit is in its configuration file, which the interface does not show. */
  private static Finding patience(String subject, QueueFacts queue) {
    Long millis = queue.number("consumer-timeout");
    if (millis == null) {
      return Finding.unknown(
          RabbitCheck.CONSUMER_TIMEOUT,
          subject,
          "consumer-timeout is the node's, 30 min unless configured",
          "Keep it above the sum of all pauses of the inbox's backoff; from RabbitMQ 3.12 on a"
              + " policy can set consumer-timeout for the queue.");
    }
    return millis < 1_800_000
        ? Finding.warning(
            RabbitCheck.CONSUMER_TIMEOUT,
            subject,
            "consumer-timeout=%s ms".formatted(millis),
            "Keep it above the sum of all pauses of the inbox's backoff; the default is 30 min.")
        : Finding.ok(subject, "consumer-timeout=%s ms".formatted(millis));
  }

  private String queueSubject(String name) {
    return "%s queue %s".formatted(broker, name);
  }

  private interface Reading {
    List<Finding> from(RabbitFacts facts) throws UnreadableException;
  }

  private List<Finding> reading(String subject, Reading reading) {
    RabbitFacts known = facts;
    if (known == null) {
      return List.of(notReadable(broker, "management.uri is not set"));
    }
    try {
      return reading.from(known);
    } catch (UnreadableException e) {
      return List.of(notReadable(subject, String.valueOf(e.getMessage())));
    } catch (LinkageError e) {
      return List.of(
          Finding.unknown(
              CommonCheck.NOT_READABLE,
              subject,
              "a class is missing: " + e.getMessage(),
              "Add jackson-databind to the class path."));
    }
  }

  private static Finding notReadable(String subject, String value) {
    return Finding.unknown(CommonCheck.NOT_READABLE, subject, value, HOW_TO_READ);
  }
}
