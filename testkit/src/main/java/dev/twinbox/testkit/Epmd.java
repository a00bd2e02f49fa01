package dev.twinbox.testkit;

import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the Erlang nodes of one cluster have in common: their port mapper and their cookie. */
final class Epmd {
  private final int port = Ports.OF_THIS_JVM.free();
  private final String cookie = UUID.randomUUID().toString();
  private final AtomicInteger users = new AtomicInteger();
  private @Nullable Process process;

  int port() {
    return port;
  }

  String cookie() {
    return cookie;
  }

  /** Counts one more node, and launches the port mapper for the first one. */
  synchronized void use(Function<String[], Process> launch) {
    if (users.getAndIncrement() == 0) {
      process =
          launch.apply(
              new String[] {"epmd", "-port", Integer.toString(port), "-address", "127.0.0.1"});
    }
  }

  /** Ends the port mapper with its last node. */
  synchronized void release() {
    Process running = process;
    if (users.decrementAndGet() == 0 && running != null) {
      running.destroyForcibly();
      Commands.awaitExit("epmd", running);
      ExitCleanup.spare(running.pid());
      process = null;
    }
  }
}
