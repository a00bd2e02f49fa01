package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.Address;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Checks addresses before the client sees them, whose complaints would repeat them, a password
 * included.
 */
final class AmqpAddress {
  private static final Pattern SCHEME = Pattern.compile("amqps?", Pattern.CASE_INSENSITIVE);
  private static final Pattern LOGIN = Pattern.compile("[^:]*(?::[^:]*)?");
  private static final Pattern VHOST = Pattern.compile("(?:/[^/@]*)?");
  private static final Pattern QUERY = Pattern.compile("(?:[a-z_]+=\\d{1,9}&?)*");
  private static final String NODE =
      "\\s*(?:[^\\s,:@/\\[\\]]+|\\[[\\p{XDigit}:.]+])(?::\\d{1,5})?\\s*";
  private static final Pattern NODES = Pattern.compile(NODE + "(?:," + NODE + ")*");

  private AmqpAddress() {}

  /**
   * @throws IllegalArgumentException when it is no AMQP address; neither the message nor a cause
   *     repeats it
   */
  static void check(String broker, String address) {
    if (!isOne(address)) {
      throw new IllegalArgumentException(
          ("%s.uri is no AMQP address: it has the form amqp://user:password@host:port/vhost, and"
                  + " what is special in a URI is written as %%XX.")
              .formatted(broker));
    }
  }

  /**
   * @param nodes as in {@code rabbit-1:5672,rabbit-2}
   * @throws IllegalArgumentException when they are no such list; the message does not repeat it
   */
  static List<Address> nodes(String broker, String nodes) {
    if (!NODES.matcher(nodes).matches()) {
      throw new IllegalArgumentException(
          "%s.addresses is no list of nodes: it has the form host:port,host:port."
              .formatted(broker));
    }
    return List.of(Address.parseAddresses(nodes));
  }

  private static boolean isOne(String address) {
    try {
      URI uri = new URI(address);
      // An unescaped sign in a password moves the rest of it into path, query or fragment.
      return uri.getScheme() != null
          && SCHEME.matcher(uri.getScheme()).matches()
          && (uri.getHost() != null || uri.getRawAuthority() == null)
          && (uri.getRawUserInfo() == null || LOGIN.matcher(uri.getRawUserInfo()).matches())
          && (uri.getRawPath() == null || VHOST.matcher(uri.getRawPath()).matches())
          && (uri.getRawQuery() == null || QUERY.matcher(uri.getRawQuery()).matches())
          && uri.getRawFragment() == null;
    } catch (URISyntaxException e) {
      return false;
    }
  }
}
