package dev.twinbox.shop.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The shop as {@code bin/twinbox shop} starts it, asked as its customers ask. */
final class ShopTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final LocalServers SERVERS = LocalServers.start();
  private static final ConfigurableApplicationContext SHOP = LocalShop.start(SERVERS);

  private final HttpClient client = HttpClient.newHttpClient();
  private final JsonMapper json = JsonMapper.builder().build();

  @AfterAll
  static void close() {
    SHOP.close();
    SERVERS.close();
  }

  @Test
  void eachOrderIsChargedOnceThroughKafkaAndShippedThroughRabbitMq() throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ids.add(place("{\"customer\":\"ann\",\"cents\":250}").get("id").asString());
    }
    for (String id : ids) {
      await().atMost(LONG).until(() -> get("/orders/" + id).get("shipped").asBoolean());
    }
    assertThat(get("/accounts/ann").get("cents").asLong()).isEqualTo(20 * 250);
  }

  @Test
  void theServiceIsHealthyAndShowsItsRelay() throws Exception {
    await().atMost(LONG).until(() -> get("/actuator/health").get("status").asString().equals("UP"));
    assertThat(get("/actuator/twinbox").isObject()).isTrue();
  }

  private JsonNode place(String order) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        request("/orders")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(order));
    HttpResponse<String> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(201);
    return json.readTree(response.body());
  }

  private JsonNode get(String path) throws IOException, InterruptedException {
    HttpResponse<String> response =
        client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    return json.readTree(response.body());
  }

  private static HttpRequest.Builder request(String path) {
    String port = SHOP.getEnvironment().getRequiredProperty("local.server.port");
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }
}
