package dev.twinbox.shop.local;

import dev.twinbox.shop.ShopApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** {@code bin/twinbox shop}: starts servers, then the shop; Ctrl-C ends both. */
public final class LocalShop {
  private static final String HELP =
      """
      Usage: twinbox shop [--server.port=PORT] [--PROPERTY=VALUE...]
      Starts a small Spring Boot service (examples/shop) on PostgreSQL, Kafka and RabbitMQ of its
      own, on free ports, until Ctrl-C. Arguments are Spring Boot's; default port: a free one.
      """;

  private LocalShop() {}

  public static void main(String[] arguments) {
    for (String argument : arguments) {
      if (argument.equals("--help") || argument.equals("-h")) {
        System.out.print(HELP);
        return;
      }
    }
    System.out.println("Starting PostgreSQL, Kafka and RabbitMQ...");
    LocalServers servers = LocalServers.start();
    ConfigurableApplicationContext shop = start(servers, arguments);
    print("http://127.0.0.1:" + shop.getEnvironment().getProperty("local.server.port"));
  }

  static ConfigurableApplicationContext start(LocalServers servers, String... arguments) {
    return new SpringApplicationBuilder(ShopApplication.class)
        .properties(servers.properties().toArray(String[]::new))
        .properties("server.port=0", "spring.main.banner-mode=off")
        // The servers in this process tell much.
        .properties("logging.level.root=warn", "logging.level.dev.twinbox=info")
        .run(arguments);
  }

  private static void print(String address) {
    System.out.printf(
        """
        The shop is open. Try, in another terminal:
          curl -H 'Content-Type: application/json' -d '{"customer":"ann","cents":250}' %1$s/orders
          curl %1$s/accounts/ann        # charged once, by way of Kafka
          curl %1$s/orders/ID           # shipped, by way of RabbitMQ
          curl %1$s/actuator/health     # and /actuator/twinbox
        Ctrl-C ends it.
        """,
        address);
  }
}
