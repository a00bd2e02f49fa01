package dev.twinbox.rocketmq;

import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.remoting.RPCHook;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a client of RocketMQ as a user gave them: by the client's own names, or with dots
 * in them, as in {@code use.tls} for {@code useTLS}. For one thread.
 */
public final class ClientSettings {
  private static final String ACCESS_KEY = "access.key";
  private static final String SECRET_KEY = "secret.key";

  /** What RocketMQ reads from text; it passes over everything else. */
  private static final Set<Class<?>> TEXTUAL =
      Set.of(int.class, long.class, double.class, boolean.class, float.class, String.class);

  private final String who;
  private final Map<String, String> left;

  /**
   * @param who has them, for errors: {@code "Broker rocketmq"}
   */
  public ClientSettings(String who, Map<String, String> given) {
    this.who = who;
    this.left = new HashMap<>(given);
  }

  /** A setting that is no property of the client; not applied then. Null where it is not given. */
  public @Nullable String take(String name) {
    String found = null;
    for (String spelling : List.copyOf(left.keySet())) {
      if (plain(spelling).equalsIgnoreCase(plain(name))) {
        found = left.remove(spelling);
      }
    }
    return found;
  }

  /**
   * What signs requests, by {@code access.key} and {@code secret.key}; null where none is given.
   *
   * @throws IllegalArgumentException when one of the two is missing
   */
  public @Nullable RPCHook credentials() {
    String accessKey = take(ACCESS_KEY);
    String secretKey = take(SECRET_KEY);
    if (accessKey == null && secretKey == null) {
      return null;
    }
    if (accessKey == null || secretKey == null) {
      throw new IllegalArgumentException(
          "%s: of %s and %s one is missing. Set both, or none."
              .formatted(who, ACCESS_KEY, SECRET_KEY));
    }
    return new AclClientRPCHook(new SessionCredentials(accessKey, secretKey));
  }

  /**
   * Gives the client what was not taken.
   *
   * @throws IllegalArgumentException for what the client has no setter for, and where no name
   *     server is named
   */
  public void applyTo(ClientConfig client) {
    Properties settings = new Properties();
    left.forEach((name, value) -> settings.setProperty(ownName(client, name), value.strip()));
    MixAll.properties2Object(settings, client);
  }

  /**
   * Refuses a client without name servers.
   *
   * @throws IllegalArgumentException that says how to name them
   */
  public void requireNameServer(ClientConfig client) {
    String nameServer = client.getNamesrvAddr();
    if (nameServer == null || nameServer.isBlank()) {
      throw new IllegalArgumentException(
          "%s: namesrv.addr is missing. Name RocketMQ's name servers, as host:port;host:port."
              .formatted(who));
    }
  }

  /** By the setter that takes it: {@code useTLS} for {@code use.tls}. */
  private String ownName(ClientConfig client, String name) {
    String setter = "set" + plain(name);
    for (Method method : client.getClass().getMethods()) {
      if (method.getName().equalsIgnoreCase(setter)
          && method.getParameterCount() == 1
          && TEXTUAL.contains(method.getParameterTypes()[0])) {
        String property = method.getName().substring("set".length());
        return property.substring(0, 1).toLowerCase(Locale.ROOT) + property.substring(1);
      }
    }
    throw new IllegalArgumentException(
        "%s: %s is no setting of RocketMQ's %s that has a text for a value. Correct or remove it."
            .formatted(who, name, client.getClass().getSimpleName()));
  }

  private static String plain(String name) {
    return name.replace(".", "");
  }
}
