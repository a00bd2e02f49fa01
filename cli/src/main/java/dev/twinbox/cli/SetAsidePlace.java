package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.SetAside;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/**
 * Where messages are set aside, as commands see it.
 *
 * @param name what lies there: {@code dead letters}
 * @param grant the option of {@code twinbox grant} that gives the rights
 * @param where what causes are grouped by: {@code consumer} or {@code destination}
 * @param filters what is selected by
 * @param aliases other names of filters' options, hidden
 * @param reasons the codes that {@code --reason} accepts, or none for any
 * @param discardedAlone whether {@code list --discarded} leaves out the others
 * @param showsJson whether {@code show} prints one JSON object rather than lines of text
 * @param open opens it in a schema
 */
record SetAsidePlace<T extends SetAside>(
    String name,
    String grant,
    String where,
    Set<Filter> filters,
    Map<String, Filter> aliases,
    Set<String> reasons,
    boolean discardedAlone,
    boolean showsJson,
    BiFunction<DataSource, String, T> open) {

  /** Work on what is set aside in one database. */
  @FunctionalInterface
  interface Work<T, R> {
    R on(T setAside) throws InterruptedException;
  }

  /** Runs with a connection, and explains what the database says. */
  <R> R in(ConnectionOptions connection, Work<T, R> work) {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      return work.on(open.apply(database, settings.schema()));
    } catch (DatabaseUnavailableException | DataAccessException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new CommandException(
          "The %s of schema %s are not accessible: %s. The tables have to exist, and the role needs what 'twinbox grant --%s ROLE' gives."
              .formatted(name, settings.schema(), Explanation.of(cause), grant),
          e);
    } catch (BeyondHorizonException e) {
      throw new CommandException(e.getMessage() + " Say so with --beyond-horizon.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted. What was done by then stays done.", e);
    }
  }

  /** The sentence where nothing matches. */
  String nothing() {
    return "No %s match.".formatted(name);
  }

  /** Whether ids are what others have sent; the outbox has its own. */
  boolean hasForeignIds() {
    return filters.contains(Filter.CONSUMER);
  }

  boolean hasReasons() {
    return filters.contains(Filter.REASON);
  }
}
