package dev.twinbox.benchmarks.figures;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/** All figures of a run. Each is there from the beginning, so that each is written at the end. */
public final class Report {
  static final String NOT_WANTED = "not asked for";

  private final ObjectNode circumstances = JsonNodeFactory.instance.objectNode();
  private final Map<Figure, FigureResult> outcomes = new EnumMap<>(Figure.class);

  /** A report in which nothing is measured yet. */
  public Report() {
    for (Figure figure : Figure.values()) {
      outcomes.put(figure, new FigureResult(figure));
    }
  }

  /** What became of a figure, to be filled in. */
  public FigureResult of(Figure figure) {
    FigureResult outcome = outcomes.get(figure);
    if (outcome == null) {
      throw new IllegalStateException("No outcome of " + figure);
    }
    return outcome;
  }

  /** Machine, versions and the like; written before the figures. */
  public ObjectNode circumstances() {
    return circumstances;
  }

  /** Whether every one of these could be measured. */
  public boolean isComplete(Collection<Figure> wanted) {
    return wanted.stream().allMatch(figure -> of(figure).isMeasured());
  }

  /** Whether something was noted beside the numbers, as a side that could not be run. */
  public boolean hasNotes() {
    return outcomes.values().stream().anyMatch(FigureResult::hasNotes);
  }

  /** The whole of it: circumstances first, then each figure under its own name. */
  public ObjectNode json() {
    ObjectNode json = circumstances.deepCopy();
    outcomes.forEach((figure, outcome) -> json.set(figure.field(), outcome.json()));
    return json;
  }

  /** The figures as rows of text, those that were asked for. */
  public static String table(JsonNode report) {
    StringBuilder table = new StringBuilder();
    for (Figure figure : Figure.values()) {
      JsonNode at = report.path(figure.field());
      for (Line line : Line.of(figure, at)) {
        if (line.reason().equals(NOT_WANTED)) {
          continue;
        }
        table.append(
            "%-32s %-28s %-12s %-4s %s%n"
                .formatted(line.name(), line.value(), line.goal(), line.met(), line.reason()));
      }
    }
    return table.toString();
  }

  /** The figures as a table in Markdown, as docs/performance.md shows them. */
  public static String markdown(JsonNode report) {
    StringBuilder table = new StringBuilder("| figure | median (spread) | goal | met | sides |\n");
    table.append("|---|---|---|---|---|\n");
    for (Figure figure : Figure.values()) {
      JsonNode at = report.path(figure.field());
      for (Line line : Line.of(figure, at)) {
        table.append(
            "| `%s`: %s | %s | %s | %s | %s |%n"
                .formatted(
                    line.name(),
                    figure.what(),
                    line.value().isEmpty() ? line.reason() : line.value(),
                    line.goal(),
                    line.met(),
                    line.sides()));
      }
    }
    return table.toString();
  }
}
