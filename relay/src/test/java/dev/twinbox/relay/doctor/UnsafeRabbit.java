package dev.twinbox.relay.doctor;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.broker.Broker;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.rabbitmq.publisher.RabbitTopology;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;

/** Exchanges and queues of one case, each with a name of its own. For one thread. */
final class UnsafeRabbit implements AutoCloseable {
  private final TestRabbit rabbit = TestRabbit.shared();
  private final Connection connection;
  private final Channel channel;
  private final String run = UUID.randomUUID().toString().substring(0, 8);

  UnsafeRabbit() {
    try {
      connection = rabbit.connectionFactory().newConnection("doctor-test");
      channel = connection.createChannel();
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A name that nobody else uses. */
  String name(String what) {
    return what + "-" + run;
  }

  /** The broker as a relay has it. */
  Broker broker() {
    return RabbitBroker.named("rabbitmq")
        .properties(
            Map.of(
                "uri",
                rabbit.uri().toString(),
                "management.uri",
                rabbit.managementUri().toString()))
        .build();
  }

  /** A durable topic exchange; returns the destination of messages to it. */
  String exchange(String what) {
    return exchange(what, "topic", true, Map.of());
  }

  String exchange(String what, String type, boolean durable, Map<String, Object> arguments) {
    declaring(() -> channel.exchangeDeclare(name(what), type, durable, false, arguments));
    return "rabbitmq:" + name(what) + "/order.placed";
  }

  /** A durable queue with these arguments. */
  String queue(String what, Map<String, Object> arguments) {
    return queue(what, true, false, false, arguments);
  }

  String quorum(String what, Map<String, Object> arguments) {
    Map<String, Object> all = new HashMap<>(arguments);
    all.put("x-queue-type", "quorum");
    all.put("x-single-active-consumer", true);
    return queue(what, all);
  }

  /** A queue as the development topology makes it. */
  String topology(String what) {
    RabbitRoute route = new RabbitRoute("", name(what));
    try {
      RabbitTopology.ordered().declare(rabbit.connectionFactory(), route, name(what));
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
    return name(what);
  }

  String queue(
      String what,
      boolean durable,
      boolean exclusive,
      boolean autoDelete,
      Map<String, Object> arguments) {
    declaring(() -> channel.queueDeclare(name(what), durable, exclusive, autoDelete, arguments));
    return name(what);
  }

  void bind(String queue, String exchange, String key) {
    declaring(() -> channel.queueBind(name(queue), name(exchange), key));
  }

  void bindExchange(String destination, String source, String key) {
    declaring(() -> channel.exchangeBind(name(destination), name(source), key));
  }

  /** Sets a policy, or an operator's, for the one queue or exchange. */
  void policy(String kind, String what, String definition) {
    String body =
        "{\"pattern\":\"^%s$\",\"apply-to\":\"%s\",\"definition\":%s}"
            .formatted(name(what), kind.equals("operator-policies") ? "queues" : "all", definition);
    String login = rabbit.user() + ":" + rabbit.password();
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("%s/api/%s/%%2F/%s".formatted(rabbit.managementUri(), kind, name(what))))
            .header(
                "authorization",
                "Basic " + Base64.getEncoder().encodeToString(login.getBytes(UTF_8)))
            .header("content-type", "application/json")
            .version(HttpClient.Version.HTTP_1_1)
            .PUT(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      int status = HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
      if (!List.of(201, 204).contains(status)) {
        throw new IllegalStateException("Policy: status " + status);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private interface Declaring {
    Object run() throws IOException;
  }

  private static void declaring(Declaring declaring) {
    try {
      Object unused = declaring.run();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    connection.abort();
  }
}
