package dev.twinbox.outbox;

import dev.twinbox.postgres.SchemaName;
import java.util.Collection;
import java.util.List;

/**
 * The database has no lanes for a message's broker, so no relay would ever read it. Nothing was
 * stored, of a whole {@code enqueueAll} nothing either, and the transaction can go on.
 */
public final class NoLanesException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  NoLanesException(Collection<String> brokers, SchemaName schema) {
    super(
        ("Schema %s has no lanes for the broker %s, so no relay would read the message. A relay"
                + " that is configured for it makes them at its start, and within seconds where"
                + " they were removed while it runs: see that one runs and is healthy; or check the"
                + " destination if the name is a slip.")
            .formatted(schema.name(), String.join(", ", List.copyOf(brokers))));
  }
}
