package dev.twinbox.benchmarks.figures;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The result of one figure: its repetitions and those of each side, or why there are none. */
public final class FigureResult {
  private final Figure figure;
  private final List<Double> values = new ArrayList<>();
  private final Map<String, List<Double>> sides = new LinkedHashMap<>();
  private final Map<String, FigureResult> parts = new LinkedHashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private @Nullable String failure;

  FigureResult(Figure figure) {
    this.figure = figure;
  }

  /** Adds a repetition's value. */
  public FigureResult value(double value) {
    values.add(finite(value));
    return this;
  }

  /** Adds a repetition's raw number of one side, with its unit in the name. */
  public FigureResult side(String name, double value) {
    sides.computeIfAbsent(name, n -> new ArrayList<>()).add(finite(value));
    return this;
  }

  /** Something to know beside the numbers, as why a side is missing. */
  public FigureResult note(String about, String text) {
    notes.put(about, text);
    return this;
  }

  /** One of several values of this figure. */
  public FigureResult part(String name) {
    return parts.computeIfAbsent(name, n -> new FigureResult(figure));
  }

  /** It could not be measured. */
  public void fail(String reason) {
    failure = reason;
  }

  /** Whether there is anything to show. */
  public boolean isMeasured() {
    return !values.isEmpty() || parts.values().stream().anyMatch(FigureResult::isMeasured);
  }

  boolean hasNotes() {
    return !notes.isEmpty();
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (values.isEmpty()) {
      json.putNull("median").putNull("min").putNull("max");
    } else {
      put(json, Spread.of(values));
    }
    json.put("goal", figure.goal().toString());
    Boolean met = values.isEmpty() ? null : figure.goal().met(Spread.of(values).median());
    json.put("met", met);
    ObjectNode raw = json.putObject("sides");
    sides.forEach(
        (name, side) -> {
          ObjectNode at = put(raw.putObject(name), Spread.of(side));
          var all = at.putArray("all");
          side.forEach(all::add);
        });
    parts.forEach((name, part) -> json.set(name, part.json()));
    if (failure != null) {
      json.put("reason", failure);
    } else if (!isMeasured()) {
      json.put("reason", Report.NOT_WANTED);
    }
    if (!notes.isEmpty()) {
      ObjectNode told = json.putObject("notes");
      notes.forEach(told::put);
    }
    return json;
  }

  private double finite(double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(figure.field() + " came out as " + value);
    }
    return value;
  }

  private static ObjectNode put(ObjectNode json, Spread spread) {
    return json.put("median", spread.median()).put("min", spread.min()).put("max", spread.max());
  }
}
