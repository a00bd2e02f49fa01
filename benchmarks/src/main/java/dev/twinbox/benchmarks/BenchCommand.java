package dev.twinbox.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.Report;
import dev.twinbox.benchmarks.scenarios.Bench;
import dev.twinbox.benchmarks.scenarios.Scale;
import dev.twinbox.benchmarks.scenarios.Scenario;
import dev.twinbox.benchmarks.scenarios.Scenarios;
import dev.twinbox.benchmarks.scenarios.Servers;
import dev.twinbox.examples.common.ReportFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bin/bench}: options in, exit code out. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures Twinbox beside the least a program could do and beside other libraries, on servers"
          + " of its own. Every figure is a ratio of two sides in one run; docs/performance.md says"
          + " how each is measured.",
      "Exit code: 0 when every figure that was asked for could be measured, otherwise 1; whether a"
          + " goal is met does not matter."
    })
final class BenchCommand implements Callable<Integer> {
  @Option(
      names = "--only",
      split = ",",
      paramLabel = "NAME",
      description =
          "Measure these figures alone: their names in the report, or how these begin. Repeatable.")
  private List<String> only = List.of();

  @Option(
      names = "--quick",
      description = "Within 12 minutes: 3 repetitions, peers at reduced size, 256 B only.")
  private boolean quick;

  @Option(
      names = "--smoke",
      description = "Within a minute or two: shows that everything runs, measures nothing.")
  private boolean smoke;

  @Option(
      names = "--micro",
      description =
          "Measure the small pieces alone that run for each message, by JMH: ids, headers, the"
              + " decoding of pages.")
  private boolean micro;

  @Option(names = "--report", paramLabel = "FILE", description = "Write the figures as JSON.")
  private @Nullable Path report;

  @Option(
      names = "--profile",
      paramLabel = "FOLDER",
      description =
          "Record what every measured process spends its time on after its warm-up, by the JVM's"
              + " flight recorder: a .jfr file and a summary of each. Costs some time itself.")
  private @Nullable Path profile;

  @Option(
      names = "--markdown",
      paramLabel = "FILE",
      description = "Measure nothing; print the table of a report that was written before.")
  private @Nullable Path markdown;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    if (markdown != null) {
      out.print(Report.markdown(read(markdown)));
      out.flush();
      return 0;
    }
    if (micro) {
      new Runner(
              new OptionsBuilder()
                  .include("dev\\.twinbox\\..*Benchmark")
                  .forks(1)
                  .warmupIterations(3)
                  .measurementIterations(5)
                  .warmupTime(TimeValue.seconds(2))
                  .measurementTime(TimeValue.seconds(2))
                  .build())
          .run();
      return 0;
    }
    if (quick && smoke) {
      throw new ParameterException(spec.commandLine(), "Choose --quick or --smoke, not both.");
    }
    if (report != null) {
      ReportFile.checkWritable(report);
    }
    Path profiles = profiles();
    Set<Figure> wanted = wanted();
    Report results = new Report();
    Scale scale = smoke ? Scale.SMOKE : quick ? Scale.QUICK : Scale.FULL;
    long begin = System.nanoTime();
    Circumstances.note(results.circumstances(), scale.name(), spec.commandLine());
    Path folder = Files.createTempDirectory("twinbox-bench");
    try (Servers servers = new Servers()) {
      Bench bench = new Bench(scale, wanted, servers, results, folder, out, profiles, begin);
      List<Scenario> scenarios =
          Scenarios.all().stream()
              .filter(each -> each.figures().stream().anyMatch(wanted::contains))
              .toList();
      try {
        scenarios.forEach(scenario -> attempt(scenario, bench, scenario::begin));
        for (Scenario scenario : scenarios) {
          writeOut();
          attempt(scenario, bench, scenario::run);
          save(results, begin);
        }
      } finally {
        scenarios.forEach(Scenario::end);
      }
    }
    if (results.isComplete(wanted) && !results.hasNotes()) {
      remove(folder);
    } else {
      out.println("What the processes that were measured had to say is in " + folder);
    }
    save(results, begin);
    out.println();
    out.print(Report.table(results.json()));
    out.flush();
    return results.isComplete(wanted) ? 0 : 1;
  }

  /** After each scenario: what was measured for an hour outlives an interruption. */
  private void save(Report results, long begin) throws IOException {
    results.circumstances().put("seconds", Math.round((System.nanoTime() - begin) / 1e9));
    if (report != null) {
      ReportFile.write(report, results.json());
    }
  }

  /** What one scenario has left for the disk must not slow down the next one's commits. */
  private static void writeOut() throws IOException, InterruptedException {
    Process sync = new ProcessBuilder("sync").inheritIO().start();
    if (!sync.waitFor(1, TimeUnit.MINUTES)) {
      sync.destroy();
    }
  }

  @FunctionalInterface
  private interface Step {
    void of(Bench bench) throws Exception;
  }

  /** A scenario that fails takes its own figures with it, and no others. */
  private static void attempt(Scenario scenario, Bench bench, Step step) {
    try {
      step.of(bench);
    } catch (Exception e) {
      e.printStackTrace(bench.out());
      bench.out().flush();
      for (Figure figure : scenario.figures()) {
        if (bench.wanted().contains(figure) && !bench.report().of(figure).isMeasured()) {
          bench.report().of(figure).fail(String.valueOf(e.getMessage()));
        }
      }
    }
  }

  private Set<Figure> wanted() {
    Set<Figure> wanted = EnumSet.noneOf(Figure.class);
    if (only.isEmpty()) {
      wanted.addAll(EnumSet.allOf(Figure.class));
      if (quick || smoke) {
        wanted.removeIf(figure -> figure.field().endsWith("_2k"));
      }
    }
    for (String name : only) {
      List<Figure> named =
          Arrays.stream(Figure.values()).filter(f -> f.field().equals(name)).toList();
      List<Figure> found =
          named.isEmpty()
              ? Arrays.stream(Figure.values()).filter(f -> f.field().startsWith(name)).toList()
              : named;
      if (found.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(),
            "--only %s: there is no such figure. Choose from: %s."
                .formatted(
                    name,
                    Arrays.stream(Figure.values())
                        .map(Figure::field)
                        .collect(Collectors.joining(", "))));
      }
      wanted.addAll(found);
    }
    return wanted;
  }

  private @Nullable Path profiles() {
    if (profile == null) {
      return null;
    }
    try {
      return Files.createDirectories(profile.toAbsolutePath());
    } catch (IOException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--profile %s cannot be made: %s. Name a folder that may be written to."
              .formatted(profile, e.getMessage()),
          e);
    }
  }

  private JsonNode read(Path file) {
    try {
      return JsonMapper.builder().build().readTree(file.toFile());
    } catch (IOException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--markdown %s cannot be read: %s. Name a file that --report has written."
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
