package dev.twinbox.rabbitmq.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where RabbitMQ's management plugin answers, and as whom. Immutable; its text form holds no
 * credentials.
 */
public final class RabbitManagement {
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private final URI base;
  private final String authorization;
  private final String vhost;

  private RabbitManagement(URI base, String authorization, String vhost) {
    this.base = base;
    this.authorization = authorization;
    this.vhost = vhost;
  }

  /**
   * The management interface at an address.
   *
   * @param uri {@code http://host:15672} or {@code https:}, with {@code user:password@} where they
   *     are others than those of AMQP
   * @param user for an address without credentials
   * @param password for an address without credentials
   * @param vhost the virtual host that is looked at
   * @throws IllegalArgumentException when it is no such address; the message does not repeat it
   */
  public static RabbitManagement at(String uri, String user, String password, String vhost) {
    URI address;
    try {
      address = URI.create(uri.strip());
    } catch (IllegalArgumentException e) {
      throw malformed();
    }
    boolean http = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
    if (!http || address.getHost() == null) {
      throw malformed();
    }
    String login = address.getRawUserInfo();
    String credentials = login == null ? user + ":" + password : decoded(login);
    String path = address.getRawPath() == null ? "" : address.getRawPath().replaceAll("/+$", "");
    int port = address.getPort();
    URI base =
        URI.create(
            address.getScheme()
                + "://"
                + address.getHost()
                + (port < 0 ? "" : ":" + port)
                + path
                + "/api/");
    String token = Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    return new RabbitManagement(base, "Basic " + token, vhost);
  }

  /** The virtual host that is looked at. */
  public String vhost() {
    return vhost;
  }

  @Override
  public String toString() {
    return "RabbitMQ's management interface at " + base.getHost();
  }

  /** What lies at the path below {@code /api/}, each segment as it is; empty when nothing does. */
  Optional<JsonNode> find(String... segments) throws UnreadableException {
    StringBuilder path = new StringBuilder();
    for (String segment : segments) {
      path.append(path.isEmpty() ? "" : "/").append(encoded(segment));
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base + path.toString()))
            .timeout(LIMIT)
            .header("authorization", authorization)
            .header("accept", "application/json")
            .build();
    try {
      HttpResponse<String> response = Client.HTTP.send(request, BodyHandlers.ofString());
      return switch (response.statusCode()) {
        case 200 -> Optional.of(Client.JSON.readTree(response.body()));
        case 404 -> Optional.empty();
        case 401, 403 ->
            throw new UnreadableException("the management interface refuses this user");
        default ->
            throw new UnreadableException(
                "the management interface answers with status " + response.statusCode());
      };
    } catch (JsonProcessingException e) {
      throw new UnreadableException("the management interface answers with no JSON");
    } catch (IOException e) {
      throw new UnreadableException(
          "the management interface does not answer (%s)".formatted(e.getClass().getSimpleName()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnreadableException("interrupted");
    }
  }

  /** Made when first needed: a service without Jackson or RabbitMQ never does. */
  private static final class Client {
    static final HttpClient HTTP =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();
    static final JsonMapper JSON = JsonMapper.builder().build();
  }

  private static String encoded(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** The address may hold a password, so it is not repeated. */
  private static IllegalArgumentException malformed() {
    return new IllegalArgumentException(
        "The address of RabbitMQ's management interface has the form"
            + " http://user:password@host:15672; user and password may be left out.");
  }

  /** The interface at an address, or null for none. */
  public static @Nullable RabbitManagement atOrNull(
      @Nullable String uri, String user, String password, String vhost) {
    return uri == null ? null : at(uri, user, password, vhost);
  }
}
