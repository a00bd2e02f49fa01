package dev.twinbox.shop;

import org.apache.kafka.clients.admin.NewTopic;
import org.springframework.amqp.core.Queue;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** The service. Its topic and its queue are declared as in any service of Spring's. */
@SpringBootApplication
public class ShopApplication {
  public static void main(String[] arguments) {
    SpringApplication.run(ShopApplication.class, arguments);
  }

  @Bean
  NewTopic ordersTopic() {
    return new NewTopic("orders", 2, (short) 1);
  }

  @Bean
  Queue shipmentsQueue() {
    return new Queue("shipments");
  }
}
