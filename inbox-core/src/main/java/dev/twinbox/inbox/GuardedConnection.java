package dev.twinbox.inbox;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The handler's view of the connection. A handler that committed would commit half of the batch,
 * and ids of messages that were not handled yet.
 */
final class GuardedConnection implements InvocationHandler {
  private static final Set<String> OURS =
      Set.of("commit", "close", "abort", "setAutoCommit", "setTransactionIsolation");

  private final Connection connection;

  private GuardedConnection(Connection connection) {
    this.connection = connection;
  }

  static Connection around(Connection connection) {
    return (Connection)
        Proxy.newProxyInstance(
            GuardedConnection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            new GuardedConnection(connection));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    String name = method.getName();
    boolean wholeRollback = name.equals("rollback") && method.getParameterCount() == 0;
    if (wholeRollback || OURS.contains(name)) {
      throw new IllegalStateException(
          "Connection.%s() is not the handler's to call: the inbox ends the transaction. Throw an"
                  .formatted(name)
              + " exception to roll it back, or use a savepoint.");
    }
    try {
      return method.invoke(connection, args);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
