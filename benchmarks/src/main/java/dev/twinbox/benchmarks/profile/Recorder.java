package dev.twinbox.benchmarks.profile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Duration;
import java.util.Set;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;

/**
 * Records the process it lives in by the JVM's flight recorder, from the end of the warm-up on.
 * Used by the thread that obeys.
 */
public final class Recorder implements AutoCloseable {
  /** What measures: the first of these that is done was the warm-up. */
  private static final Set<String> WARM =
      Set.of("warm", "load", "confirms", "stop", "slice", "inbox", "plain");

  private final String side;
  private final @Nullable Path folder;
  private @Nullable Recording recording;

  private Recorder(String side, @Nullable Path folder) {
    this.side = side;
    this.folder = folder;
  }

  /**
   * @param side names the files
   * @param folder where they go; empty to record nothing
   */
  public static Recorder of(String side, String folder) {
    return new Recorder(side, folder.isEmpty() ? null : Path.of(folder));
  }

  /** An order was obeyed. */
  public void done(String verb) throws IOException, ParseException {
    if (folder == null || recording != null || !WARM.contains(verb)) {
      return;
    }
    Recording started = new Recording(Configuration.getConfiguration("profile"));
    // Every answer of a server counts, not only slow ones.
    started.enable("jdk.SocketRead").withThreshold(Duration.ZERO).withStackTrace();
    started.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(10));
    started.enable("jdk.CPULoad").withPeriod(Duration.ofSeconds(1));
    started.start();
    recording = started;
  }

  /** Writes what was recorded, and a summary of it beside. */
  @Override
  public void close() throws IOException {
    if (folder == null || recording == null) {
      return;
    }
    recording.stop();
    String name = side + "-" + ProcessHandle.current().pid();
    Path file = folder.resolve(name + ".jfr");
    recording.dump(file);
    recording.close();
    Files.writeString(folder.resolve(name + ".txt"), Profile.of(file).summary());
  }
}
