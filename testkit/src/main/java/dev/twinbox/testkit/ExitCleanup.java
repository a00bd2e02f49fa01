package dev.twinbox.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Ends the processes and removes the folders that this JVM leaves behind, however it ends.
 *
 * <p>A shell waits on a pipe from this JVM. The pipe closes when the JVM exits, is killed or
 * crashes, which no shutdown hook survives; only then does the shell act.
 */
final class ExitCleanup {
  private static final String SCRIPT =
      """
      trap '' INT TERM HUP
      pids=' '
      folders=''
      while IFS= read -r line; do
        value=${line#* }
        case $line in
          'kill '*) pids="$pids$value " ;;
          'spare '*)
            kept=' '
            for pid in $pids; do
              [ "$pid" = "$value" ] || kept="$kept$pid "
            done
            pids=$kept ;;
          'delete '*) folders="$folders
      $value" ;;
        esac
      done
      for pid in $pids; do
        kill -9 $(pgrep -P "$pid" 2>/dev/null || cat "/proc/$pid/task/$pid/children") "$pid"
      done
      IFS='
      '
      for folder in $folders; do
        for attempt in 1 2 3 4 5 6 7 8 9 10; do
          rm -rf -- "$folder" && break
          sleep 0.2
        done
      done
      """;

  private static final ExitCleanup INSTANCE = new ExitCleanup();

  private final OutputStream orders;

  private ExitCleanup() {
    try {
      orders =
          new ProcessBuilder("/bin/sh", "-c", SCRIPT)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .getOutputStream();
    } catch (IOException e) {
      throw new UncheckedIOException("The shell that cleans up after the tests did not start", e);
    }
  }

  static void killAtEnd(long pid) {
    INSTANCE.order("kill " + pid);
  }

  /** Must be called once the process is gone, because its id can be given to another one. */
  static void spare(long pid) {
    INSTANCE.order("spare " + pid);
  }

  /** A new folder, readable by its owner only, that is deleted when this JVM is gone. */
  static Path temporaryFolder(String prefix) {
    try {
      Path folder = Files.createTempDirectory("twinbox-" + prefix + "-");
      INSTANCE.order("delete " + folder);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes the folder now, as far as it can be deleted. */
  static void delete(Path folder) {
    Commands.run("rm", "-rf", "--", folder.toString());
  }

  private synchronized void order(String line) {
    try {
      orders.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      orders.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("The shell that cleans up after the tests is gone", e);
    }
  }
}
