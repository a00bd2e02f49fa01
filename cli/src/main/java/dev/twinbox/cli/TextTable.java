package dev.twinbox.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Columns as wide as they need to be. Not thread-safe. */
final class TextTable {
  private final List<List<String>> rows = new ArrayList<>();

  TextTable(String... titles) {
    rows.add(List.of(titles));
  }

  void row(Object... cells) {
    rows.add(Stream.of(cells).map(String::valueOf).toList());
  }

  /** Prints it after an empty line; if it has no rows, the sentence instead. */
  void print(PrintWriter out, String otherwise) {
    out.println();
    if (rows.size() == 1) {
      out.println(otherwise);
      return;
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        String cell = row.get(column);
        line.append(cell).append(" ".repeat(2 + width(column) - cell.length()));
      }
      out.println(line.toString().stripTrailing());
    }
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
  }
}
