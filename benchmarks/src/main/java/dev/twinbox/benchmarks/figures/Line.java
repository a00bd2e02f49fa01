package dev.twinbox.benchmarks.figures;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A figure of a written report as people read it; several when it has several parts. */
record Line(String name, String value, String goal, String met, String sides, String reason) {
  static List<Line> of(Figure figure, JsonNode at) {
    List<Line> lines = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : at.properties()) {
      if (field.getValue().has("median") && field.getValue().has("sides")) {
        lines.add(line(figure.field() + "." + field.getKey(), field.getValue()));
      }
    }
    if (lines.isEmpty() || at.path("median").isNumber()) {
      lines.add(0, line(figure.field(), at));
    }
    return lines;
  }

  private static Line line(String name, JsonNode at) {
    List<String> sides = new ArrayList<>();
    at.path("sides")
        .properties()
        .forEach(
            side ->
                sides.add(
                    "%s %s".formatted(side.getKey(), Numbers.rounded(median(side.getValue())))));
    return new Line(
        name,
        at.path("median").isNumber() ? spread(at).toString() : "",
        at.path("goal").asText(),
        at.path("met").isBoolean() ? (at.path("met").asBoolean() ? "yes" : "NO") : "",
        String.join(", ", sides),
        at.path("reason").asText());
  }

  private static double median(JsonNode at) {
    return at.path("median").asDouble();
  }

  private static Spread spread(JsonNode at) {
    return new Spread(median(at), at.path("min").asDouble(), at.path("max").asDouble());
  }
}
