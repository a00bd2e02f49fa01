package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.PayloadDecoder;
import dev.twinbox.inbox.PayloadDecoders;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.inbox.UnprocessableException;
import dev.twinbox.spring.InboxHeader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A method of a bean as a handler. */
final class ListenerMethod implements Handler {
  private final Object bean;
  private final Method method;
  private final List<Argument> arguments = new ArrayList<>();

  /**
   * @param method callable on the bean, also where that is a proxy
   * @throws IllegalArgumentException for parameters that no message has
   */
  ListenerMethod(Object bean, Method method, PayloadDecoders decoders) {
    this.bean = bean;
    this.method = method;
    method.setAccessible(true);
    int payloads = 0;
    for (Parameter parameter : method.getParameters()) {
      InboxHeader header = parameter.getAnnotation(InboxHeader.class);
      Class<?> type = parameter.getType();
      if (header != null) {
        arguments.add((delivery, work) -> delivery.headers().get(header.value()));
      } else if (type == Delivery.class) {
        arguments.add((delivery, work) -> delivery);
      } else if (type == InboxTransaction.class) {
        arguments.add((delivery, work) -> work);
      } else {
        payloads++;
        PayloadDecoder<?> decoder = decoder(type, decoders);
        arguments.add((delivery, work) -> payload(delivery, decoder));
      }
    }
    if (payloads > 1) {
      throw new IllegalArgumentException(
          "%s has %s parameters for the payload; one is possible. Others are a Delivery, an InboxTransaction, or a String with @InboxHeader."
              .formatted(method, payloads));
    }
  }

  private interface Argument {
    @Nullable Object of(Delivery delivery, InboxTransaction work) throws Exception;
  }

  @Override
  public void handle(Delivery delivery, InboxTransaction work) throws Exception {
    @Nullable Object[] values = new @Nullable Object[arguments.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = arguments.get(i).of(delivery, work);
    }
    try {
      method.invoke(bean, values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Exception exception) {
        throw exception;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
  }

  private static PayloadDecoder<?> decoder(Class<?> type, PayloadDecoders decoders) {
    if (type == byte[].class) {
      return ListenerMethod::bytes;
    }
    if (type == String.class) {
      return delivery -> new String(bytes(delivery), StandardCharsets.UTF_8);
    }
    return decoders.of(type);
  }

  private static byte[] bytes(Delivery delivery) {
    byte[] payload = delivery.payload();
    if (payload == null) {
      throw new IllegalArgumentException("The message is a tombstone: it has no payload.");
    }
    return payload;
  }

  private static Object payload(Delivery delivery, PayloadDecoder<?> decoder)
      throws UnprocessableException {
    try {
      return decoder.decode(delivery);
    } catch (Exception | StackOverflowError e) {
      throw new UnprocessableException(
          QuarantineReason.MALFORMED_PAYLOAD,
          "The payload is not a '%s': %s".formatted(delivery.type(), e.getMessage()),
          e);
    }
  }

  @Override
  public String toString() {
    return method.toString();
  }
}
