package dev.twinbox.inbox;

import java.sql.Connection;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConnectionProvider;
import org.jspecify.annotations.Nullable;

/** What a handler sees of a transaction; made only when it looks. */
final class Work implements InboxTransaction {
  private final Connection raw;
  private final Configuration configuration;
  private @Nullable Connection guarded;
  private @Nullable DSLContext dsl;

  Work(Connection raw, Configuration configuration) {
    this.raw = raw;
    this.configuration = configuration;
  }

  @Override
  public Connection connection() {
    Connection connection = guarded;
    if (connection == null) {
      connection = GuardedJdbc.around(raw);
      guarded = connection;
    }
    return connection;
  }

  @Override
  public DSLContext dsl() {
    DSLContext context = dsl;
    if (context == null) {
      context =
          DSL.using(
              configuration
                  .derive(new DefaultConnectionProvider(connection()))
                  .derive(new SavepointTransactions(raw)));
      dsl = context;
    }
    return context;
  }
}
