package dev.twinbox.benchmarks.profile;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/**
 * A recording in brief: what was waited for by answers of servers, which threads ran and in what,
 * and how long the JVM stood still.
 */
final class Profile {
  /** Whose frames say nothing about what is being done. */
  private static final List<String> PLUMBING =
      List.of(
          "java.",
          "jdk.",
          "sun.",
          "com.sun.",
          "org.postgresql.",
          "com.zaxxer.",
          "dev.twinbox.relay.store.Pipeline");

  private static final int SHOWN = 25;

  private final Map<String, List<Duration>> reads = new TreeMap<>();
  private final Map<String, Integer> threads = new TreeMap<>();
  private final Map<String, Integer> places = new TreeMap<>();
  private final List<Duration> pauses = new ArrayList<>();
  private final List<Double> load = new ArrayList<>();
  private int samples;
  private @Nullable Instant first;
  private @Nullable Instant last;

  private Profile() {}

  static Profile of(Path recording) throws IOException {
    Profile profile = new Profile();
    try (RecordingFile events = new RecordingFile(recording)) {
      while (events.hasMoreEvents()) {
        profile.add(events.readEvent());
      }
    }
    return profile;
  }

  private void add(RecordedEvent event) {
    switch (event.getEventType().getName()) {
      case "jdk.SocketRead" -> {
        seen(event);
        reads.computeIfAbsent(place(event), key -> new ArrayList<>()).add(event.getDuration());
      }
      case "jdk.ExecutionSample" -> {
        seen(event);
        samples++;
        RecordedThread thread = event.getThread("sampledThread");
        threads.merge(group(thread), 1, Integer::sum);
        places.merge(group(thread) + "  " + place(event), 1, Integer::sum);
      }
      case "jdk.GCPhasePause" -> pauses.add(event.getDuration());
      case "jdk.CPULoad" -> load.add(event.getDouble("jvmUser") + event.getDouble("jvmSystem"));
      default -> {}
    }
  }

  private void seen(RecordedEvent event) {
    Instant at = event.getStartTime();
    first = first == null || at.isBefore(first) ? at : first;
    last = last == null || at.isAfter(last) ? at : last;
  }

  /** The innermost frame of somebody who knows what is being done. */
  private static String place(RecordedEvent event) {
    if (event.getStackTrace() == null) {
      return "unknown";
    }
    return event.getStackTrace().getFrames().stream()
        .filter(RecordedFrame::isJavaFrame)
        .map(RecordedFrame::getMethod)
        .filter(method -> !method.getName().contains("lambda$"))
        .filter(method -> PLUMBING.stream().noneMatch(method.getType().getName()::startsWith))
        .map(method -> method.getType().getName().replaceAll("^.*\\.", "") + "." + method.getName())
        .findFirst()
        .orElse("the JDK and drivers alone");
  }

  private static String group(@Nullable RecordedThread thread) {
    String name = thread == null ? null : thread.getJavaName();
    return name == null ? "unknown" : name.replaceAll("[0-9]+", "N");
  }

  /** For people. */
  String summary() {
    Duration time = first == null || last == null ? Duration.ZERO : Duration.between(first, last);
    List<String> lines = new ArrayList<>();
    lines.add(
        text(
            "%s s; the process used %.1f %% of the machine (mean); %s pauses for garbage: %s ms",
            time.toSeconds(),
            100 * load.stream().mapToDouble(Double::doubleValue).average().orElse(0),
            pauses.size(),
            quantiles(pauses)));
    lines.add("");
    lines.add("Waits for a server's answer, by who asked: times, milliseconds p50 / p99 / max");
    reads.entrySet().stream()
        .sorted(Comparator.comparing(each -> -each.getValue().size()))
        .limit(SHOWN)
        .forEach(
            each ->
                lines.add(
                    text(
                        "%10d  %-24s  %s",
                        each.getValue().size(), quantiles(each.getValue()), each.getKey())));
    lines.add("");
    lines.add("Threads that were found running, percent of samples");
    shares(threads).forEach(lines::add);
    lines.add("");
    lines.add("And what they ran");
    shares(places).forEach(lines::add);
    return lines.stream().collect(Collectors.joining("\n", "", "\n"));
  }

  private Stream<String> shares(Map<String, Integer> counts) {
    return counts.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
        .limit(SHOWN)
        .map(each -> text("%8.1f  %s", 100.0 * each.getValue() / samples, each.getKey()));
  }

  private static String quantiles(List<Duration> durations) {
    double[] sorted = durations.stream().mapToDouble(d -> d.toNanos() / 1e6).sorted().toArray();
    if (sorted.length == 0) {
      return "-";
    }
    return text(
        "%.2f / %.2f / %.1f",
        sorted[sorted.length / 2], sorted[(int) (sorted.length * 0.99)], sorted[sorted.length - 1]);
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
