package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.AddressResolver;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MetricsCollector;
import com.rabbitmq.client.NoOpMetricsCollector;
import com.rabbitmq.client.impl.AMQConnection;
import com.rabbitmq.client.impl.ConnectionParams;
import com.rabbitmq.client.impl.Frame;
import com.rabbitmq.client.impl.FrameHandler;
import com.rabbitmq.client.impl.FrameHandlerFactory;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Connects as {@link ConnectionFactory#newConnection()} does, but reads messages that the client
 * itself would close the connection at ({@link ReadableHeader}). The client offers no hook between
 * the frames and their decoding, so what its factory does with protected methods is done here with
 * the same ones.
 *
 * <p>Thread-safe.
 */
final class ReadableConnections {
  private static final Object[] NO_LIMIT = {0};

  private final Method createFrames = factoryMethod("createFrameHandlerFactory");
  private final Method createResolver = factoryMethod("createAddressResolver", List.class);
  private final Method createConnection =
      factoryMethod(
          "createConnection", ConnectionParams.class, FrameHandler.class, MetricsCollector.class);
  // Called by name: it returns the factory in some versions, and nothing in others.
  private final Method useBlockingIo = factoryMethod("useBlockingIo");
  private final ConnectionFactory factory;
  private final List<Address> addresses;

  /**
   * @param factory from now on ours
   * @param addresses in no order; those of a cluster's nodes
   * @throws IllegalArgumentException when the factory is of a class that connects by itself
   * @throws IllegalStateException when the client on the class path has no such factory
   */
  ReadableConnections(ConnectionFactory factory, List<Address> addresses) {
    refuseOwnConnections(factory.getClass());
    this.factory = factory;
    this.addresses = List.copyOf(addresses);
    if (factory.getMetricsCollector() == null) {
      factory.setMetricsCollector(new NoOpMetricsCollector());
    }
  }

  /**
   * A started connection to one of the addresses, tried in random order.
   *
   * @param goOn whether a further address is tried
   * @throws IOException or TimeoutException as the last address had it
   */
  Connection connect(String name, BooleanSupplier goOn) throws IOException, TimeoutException {
    call(useBlockingIo); // the other ways to read do not hand out their frames
    FrameHandlerFactory frames = (FrameHandlerFactory) call(createFrames);
    ConnectionParams params = factory.params(null);
    Map<String, Object> properties = new HashMap<>(params.getClientProperties());
    properties.put("connection_name", name);
    params.setClientProperties(properties);
    AddressResolver resolver = (AddressResolver) call(createResolver, addresses);
    List<Address> resolved = resolver.maybeShuffle(resolver.getAddresses());
    for (int i = 0; ; i++) {
      try {
        return connect(params, readable(open(frames, resolved.get(i), name)));
      } catch (IOException | TimeoutException e) {
        if (i == resolved.size() - 1 || !goOn.getAsBoolean()) {
          throw e;
        }
      }
    }
  }

  private static FrameHandler open(FrameHandlerFactory frames, Address address, String name)
      throws IOException {
    try {
      return frames.create(address, name);
    } catch (RuntimeException e) {
      throw new IOException(
          "No socket to %s could be made. TLS has to be set by useSslProtocol(...) or"
                  .formatted(address)
              + " setSslContextFactory(...); what is set for Netty or NIO alone is not used.",
          e);
    }
  }

  private Connection connect(ConnectionParams params, FrameHandler frames)
      throws IOException, TimeoutException {
    try {
      AMQConnection connection =
          (AMQConnection) call(createConnection, params, frames, factory.getMetricsCollector());
      connection.start();
      factory.getMetricsCollector().newConnection(connection);
      return connection;
    } catch (RuntimeException | Error e) {
      frames.close(); // of the others the client does so itself
      throw e;
    }
  }

  /** What limits frames that come in is left out: a quorum queue adds to headers as it pleases. */
  private static FrameHandler readable(FrameHandler frames) {
    return (FrameHandler)
        Proxy.newProxyInstance(
            FrameHandler.class.getClassLoader(),
            new Class<?>[] {FrameHandler.class},
            (proxy, method, arguments) -> {
              boolean limit = method.getName().equals("setFrameMax");
              Object result = invoke(method, frames, limit ? NO_LIMIT : arguments);
              return result instanceof Frame frame ? ReadableHeader.of(frame) : result;
            });
  }

  private Object call(Method method, Object... arguments) throws IOException, TimeoutException {
    try {
      return invoke(method, factory, arguments);
    } catch (IOException | TimeoutException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object invoke(Method method, Object target, Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** They would not be asked, and the connection could lead elsewhere. */
  private static void refuseOwnConnections(Class<?> type) {
    for (Method method : type.getMethods()) {
      if (method.getName().equals("newConnection")
          && method.getDeclaringClass() != ConnectionFactory.class) {
        throw new IllegalArgumentException(
            "connectionFactory is a %s, which overrides newConnection(...): that is not called. Use"
                    .formatted(type.getName())
                + " addresses(...) for the nodes of a cluster, or override createConnection(...).");
      }
    }
  }

  private static Method factoryMethod(String name, Class<?>... parameters) {
    try {
      Method method = ConnectionFactory.class.getDeclaredMethod(name, parameters);
      method.setAccessible(true);
      return method;
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalStateException(
          "The version of com.rabbitmq:amqp-client on the class path is not one that Twinbox can"
              + " read every message with; use 5.x, as Twinbox's own pom names it.",
          e);
    }
  }
}
