package dev.twinbox.postgres;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Stream;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.ConnectionProxy;
import org.springframework.transaction.support.ResourceHolder;
import org.springframework.transaction.support.ResourceHolderSupport;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** Which connections Spring has bound to the current thread, and whether it will commit them. */
final class SpringConnections {
  /** What a connection is to Spring. */
  enum Binding {
    /** Not bound to the thread. */
    NONE,
    /** Bound by a transaction manager, which commits it. */
    MANAGED,
    /** Bound only to be shared until the scope ends; JTA, if anybody, commits it. */
    SHARED
  }

  /** Of brokers' local transactions, which know nothing of a database. */
  private static final String[] BROKERS = {
    "org.springframework.kafka.", "org.springframework.amqp."
  };

  /** Its API alone proves nothing: Hibernate brings it everywhere. */
  private static final String[] JTA_IMPLEMENTATIONS = {
    "com.arjuna.ats.jta.TransactionManager",
    "com.atomikos.icatch.jta.UserTransactionManager",
    "bitronix.tm.BitronixTransactionManager"
  };

  private static final ClassValue<Optional<Method>> IS_TRANSACTION_ACTIVE =
      new ClassValue<>() {
        @Override
        protected Optional<Method> computeValue(Class<?> type) {
          return accessible(type, "isTransactionActive");
        }
      };

  private SpringConnections() {}

  static boolean noneIsBound() {
    return TransactionSynchronizationManager.getResourceMap().isEmpty();
  }

  /** The connection behind Spring's proxies. */
  static Connection target(Connection connection) {
    return SpringTransaction.knowsConnections() ? Jdbc.target(connection) : connection;
  }

  static Binding bindingOf(Connection target) {
    if (SpringTransaction.knowsConnections()) {
      for (Object holder : holders()) {
        if (Jdbc.holds(holder, target)) {
          return Jdbc.isManaged(holder) ? Binding.MANAGED : Binding.SHARED;
        }
      }
    }
    return Binding.NONE;
  }

  /** Whether the thread's transaction is known to be that of something else than JTA. */
  static boolean anotherIsManaged() {
    for (Object holder : holders()) {
      if (SpringTransaction.knowsConnections() && Jdbc.isConnectionHolder(holder)) {
        if (Jdbc.isManaged(holder)) {
          return true;
        }
      } else if (holder instanceof ResourceHolder && (isActive(holder) || isBrokers(holder))) {
        return true;
      }
    }
    return false;
  }

  /** JTA leaves no trace in Spring; where none can be there, it is not at work. */
  static boolean mayBeJta() {
    return Jta.PRESENT;
  }

  private static Collection<Object> holders() {
    return TransactionSynchronizationManager.getResourceMap().values();
  }

  private static boolean isBrokers(Object holder) {
    for (String prefix : BROKERS) {
      if (holder.getClass().getName().startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }

  /** Protected in Spring's holders of connections, entity managers and sessions. */
  private static boolean isActive(Object holder) {
    Optional<Method> method = IS_TRANSACTION_ACTIVE.get(holder.getClass());
    try {
      return method.isPresent() && Boolean.TRUE.equals(method.get().invoke(holder));
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }

  private static Optional<Method> accessible(Class<?> type, String name) {
    for (Class<?> at = type; at != null; at = at.getSuperclass()) {
      try {
        Method method = at.getDeclaredMethod(name);
        method.setAccessible(true);
        return Optional.of(method);
      } catch (NoSuchMethodException e) {
        continue;
      } catch (RuntimeException e) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static boolean isPresent(String name) {
    try {
      Class.forName(name, false, SpringConnections.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /** Looked for when first asked. */
  private static final class Jta {
    static final boolean PRESENT =
        Stream.of(JTA_IMPLEMENTATIONS).anyMatch(SpringConnections::isPresent);
  }

  /** Linked only where spring-jdbc is. */
  private static final class Jdbc {
    static Connection target(Connection connection) {
      Connection target = connection;
      while (target instanceof ConnectionProxy proxy) {
        target = proxy.getTargetConnection();
      }
      return target;
    }

    static boolean isConnectionHolder(Object holder) {
      return holder instanceof ConnectionHolder;
    }

    static boolean holds(Object holder, Connection target) {
      if (!(holder instanceof ConnectionHolder connections)) {
        return false;
      }
      try {
        return PostgresSession.same(target(connections.getConnection()), target);
      } catch (RuntimeException e) {
        // A holder whose connection was given back has none.
        return false;
      }
    }

    /**
     * A manager for JDBC marks its holder as active; one for JPA binds it without synchronization.
     * What DataSourceUtils binds is synchronized and not active. Where reflection is not allowed,
     * the manager is trusted.
     */
    static boolean isManaged(Object holder) {
      return !((ResourceHolderSupport) holder).isSynchronizedWithTransaction()
          || IS_TRANSACTION_ACTIVE.get(holder.getClass()).isEmpty()
          || isActive(holder);
    }
  }
}
