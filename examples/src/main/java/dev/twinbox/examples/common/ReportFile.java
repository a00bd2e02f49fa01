package dev.twinbox.examples.common;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file into which a command writes its figures, named by {@code --report}. */
public final class ReportFile {
  private ReportFile() {}

  /** Fails before the work rather than after it. */
  public static void checkWritable(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder) || Files.isDirectory(file)) {
      throw new CommandException(
          "--report %s cannot be written: name a file in a folder that exists.".formatted(file));
    }
  }

  /** Writes the figures, a record for example, as JSON. */
  public static void write(Path file, Object figures) {
    try {
      Files.writeString(
          file,
          JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(figures)
              + System.lineSeparator());
    } catch (IOException e) {
      throw new CommandException("--report %s cannot be written: %s".formatted(file, e), e);
    }
  }
}
