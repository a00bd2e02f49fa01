package dev.twinbox.inbox;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Array;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Wrapper;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The handler's view of the connection and of all that it can reach from there. A handler that
 * ended the transaction would commit half of the batch, and ids of messages that were not handled
 * yet.
 */
final class GuardedJdbc implements InvocationHandler {
  private static final String REMEDY =
      ": the inbox ends the transaction. Throw an exception to roll it back, or use a savepoint.";
  private static final Set<String> OURS =
      Set.of(
          "commit",
          "close",
          "abort",
          "setAutoCommit",
          "setReadOnly",
          "setTransactionIsolation",
          "beginRequest",
          "endRequest");

  // The narrowest first. The others that JDBC hands out lead nowhere.
  private static final List<Class<?>> LEAD_TO_THE_CONNECTION =
      List.of(
          CallableStatement.class,
          PreparedStatement.class,
          Statement.class,
          ResultSet.class,
          DatabaseMetaData.class,
          Array.class);

  private final Object target;
  private final @Nullable GuardedJdbc parent;
  private final Object proxy;

  private GuardedJdbc(Object target, Class<?> type, @Nullable GuardedJdbc parent) {
    this.target = target;
    this.parent = parent;
    boolean standard = type.getPackageName().equals("java.sql");
    ClassLoader loader = standard ? GuardedJdbc.class.getClassLoader() : type.getClassLoader();
    proxy = Proxy.newProxyInstance(loader, new Class<?>[] {type}, this);
  }

  static Connection around(Connection connection) {
    return (Connection) new GuardedJdbc(connection, Connection.class, null).proxy;
  }

  @Override
  public @Nullable Object invoke(Object self, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    String name = method.getName();
    if (target instanceof Connection) {
      refuseEnd(name, method.getParameterCount());
    }
    if (args != null && args.length > 0) {
      if (args[0] instanceof String text && takesSql(name)) {
        refuseSql(text);
      }
      if (args[0] instanceof Class<?> type) {
        if (name.equals("unwrap")) {
          return unwrap(type);
        }
        if (name.equals("isWrapperFor")) {
          return type.isInterface() && Boolean.TRUE.equals(call(method, args));
        }
      }
      bare(args);
    }
    return guarded(call(method, args), method.getReturnType());
  }

  private static void refuseEnd(String name, int parameters) {
    boolean wholeRollback = name.equals("rollback") && parameters == 0;
    if (wholeRollback || OURS.contains(name)) {
      throw new IllegalStateException(
          "Connection." + name + "() is not the handler's to call" + REMEDY);
    }
  }

  private static boolean takesSql(String name) {
    return name.startsWith("exec") || name.startsWith("prepare") || name.equals("addBatch");
  }

  private static void refuseSql(String sql) {
    String ending = TransactionSql.ending(sql);
    if (ending != null) {
      throw new IllegalStateException(
          "The statement " + ending + " is not the handler's to execute" + REMEDY);
    }
  }

  private Object unwrap(Class<?> type) throws SQLException {
    if (type.isInstance(proxy)) {
      return proxy;
    }
    if (!type.isInterface()) {
      throw new SQLException(
          "A handler's connection is not unwrapped to the class "
              + type.getName()
              + ", which could end the inbox's transaction. Unwrap an interface, such as"
              + " org.postgresql.PGConnection.");
    }
    Object inner = ((Wrapper) target).unwrap(type);
    try {
      return new GuardedJdbc(inner, type, target instanceof Connection ? this : parent).proxy;
    } catch (IllegalArgumentException e) {
      throw new SQLException("Not an interface that can be guarded: " + type.getName(), e);
    }
  }

  /** Drivers know their own objects only. */
  private static void bare(@Nullable Object[] args) {
    for (int i = 0; i < args.length; i++) {
      Object arg = args[i];
      if (arg != null
          && Proxy.isProxyClass(arg.getClass())
          && Proxy.getInvocationHandler(arg) instanceof GuardedJdbc guarded) {
        args[i] = guarded.target;
      }
    }
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  private @Nullable Object guarded(@Nullable Object result, Class<?> type) {
    if (result == null || type.isPrimitive() || type == String.class) {
      return result;
    }
    for (GuardedJdbc each = this; each != null; each = each.parent) {
      boolean connection = each.parent == null && result instanceof Connection;
      if (connection || each.target == result) {
        return each.proxy;
      }
    }
    for (Class<?> leading : LEAD_TO_THE_CONNECTION) {
      if (leading.isInstance(result)) {
        return new GuardedJdbc(result, leading, this).proxy;
      }
    }
    return result;
  }
}
