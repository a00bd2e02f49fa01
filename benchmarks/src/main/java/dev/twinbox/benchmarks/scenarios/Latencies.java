package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.worker.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/**
 * Messages at a fixed rate and how long after each was due the broker confirmed it: what waits
 * behind a hiccup counts with the whole of its wait.
 *
 * @param p50 milliseconds from when a message was due, median
 * @param p99 the same, 99th percentile
 * @param p50AfterCommit milliseconds from the return of its commit, median
 * @param p99AfterCommit the same, 99th percentile
 */
record Latencies(double p50, double p99, double p50AfterCommit, double p99AfterCommit) {
  private static final int PATIENCE_SECONDS = 60;

  /** No number comes twice: after a restart, some sides send again what was confirmed before. */
  private static final AtomicLong NEXT = new AtomicLong();

  /**
   * @param loading the process that enqueues
   * @param confirming the process that hears the broker's confirms; may be the same
   */
  static Latencies measure(
      Bench bench, WorkerProcess loading, WorkerProcess confirming, int rate, int seconds)
      throws IOException, InterruptedException {
    Path sent = Files.createTempFile(bench.folder(), "sent", "");
    Path confirmed = Files.createTempFile(bench.folder(), "confirmed", "");
    long total = (long) rate * seconds;
    String first = Long.toString(NEXT.getAndAdd(total));
    String end = Long.toString(Long.parseLong(first) + total);
    loading.ask(
        "load",
        Integer.toString(rate),
        first,
        Long.toString(total),
        sent.toAbsolutePath().toString());
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (confirming.number("heard", first, end) < total) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "Not all of %s messages at %s/s were confirmed within %s s of the last."
                .formatted(total, rate, PATIENCE_SECONDS));
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
    confirming.ask("confirms", confirmed.toAbsolutePath().toString());
    return of(sent, confirmed);
  }

  private static Latencies of(Path sent, Path confirmed) throws IOException {
    Map<Long, Long> times = new HashMap<>();
    for (String line : Files.readAllLines(confirmed)) {
      String[] words = line.split(" ");
      times.put(Long.parseLong(words[0]), Long.parseLong(words[1]));
    }
    LongStream.Builder sinceDue = LongStream.builder();
    LongStream.Builder sinceCommit = LongStream.builder();
    for (String line : Files.readAllLines(sent)) {
      String[] words = line.split(" ");
      Long at = times.get(Long.parseLong(words[0]));
      if (at == null) {
        throw new IllegalStateException("Message %s was not confirmed.".formatted(words[0]));
      }
      sinceDue.add(at - Long.parseLong(words[1]));
      // A confirm can be heard before the committing thread gets its turn.
      sinceCommit.add(Math.max(0, at - Long.parseLong(words[2])));
    }
    long[] due = sinceDue.build().sorted().toArray();
    long[] commit = sinceCommit.build().sorted().toArray();
    return new Latencies(
        millis(due, 0.5), millis(due, 0.99), millis(commit, 0.5), millis(commit, 0.99));
  }

  private static double millis(long[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))] / 1e6;
  }
}
