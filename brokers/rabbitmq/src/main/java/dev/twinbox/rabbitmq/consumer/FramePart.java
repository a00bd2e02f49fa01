package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.impl.Frame;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * A number in the head of a frame. RabbitMQ's client had fields for them until 5.2x, as Spring Boot
 * manages it, and has methods since; both are read here.
 */
enum FramePart {
  TYPE("type", "getType"),
  CHANNEL("channel", "getChannel");

  private final MethodHandle reading;

  FramePart(String field, String method) {
    reading = find(field, method);
  }

  int of(Frame frame) {
    try {
      return (int) reading.invokeExact(frame);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle find(String field, String method) {
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    try {
      return lookup.findVirtual(Frame.class, method, MethodType.methodType(int.class));
    } catch (ReflectiveOperationException e) {
      try {
        return lookup.findGetter(Frame.class, field, int.class);
      } catch (ReflectiveOperationException neither) {
        throw new IllegalStateException(
            "This version of com.rabbitmq:amqp-client is not known; use 5.25 to 5.37.", neither);
      }
    }
  }
}
