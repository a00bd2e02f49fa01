package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;

/** A copy of a running server's files, by PostgreSQL's low-level interface for backups. */
final class BaseBackup {
  private static final Duration PROMOTION_LIMIT = Duration.ofSeconds(60);

  private BaseBackup() {}

  /** Copies into a folder that does not exist yet; a server on it starts as a standby. */
  static void copy(DataSource running, Path data, Path copy) {
    try (Connection connection = running.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("select pg_backup_start('copy', true)");
      copyFiles(data, copy);
      String label;
      try (ResultSet stopped =
          statement.executeQuery("select labelfile from pg_backup_stop(false)")) {
        stopped.next();
        label = stopped.getString(1);
      }
      // Once more, now with the log up to the backup's end.
      copyFiles(data.resolve("pg_wal"), copy.resolve("pg_wal"));
      Files.writeString(copy.resolve("backup_label"), label);
      Files.writeString(copy.resolve("standby.signal"), "");
    } catch (SQLException e) {
      throw new IllegalStateException("No base backup", e);
    } catch (IOException e) {
      throw new UncheckedIOException("No base backup", e);
    }
  }

  /** Makes a standby a primary. */
  static void promote(DataSource standby) {
    try (Connection connection = standby.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "select pg_promote(wait_seconds => %s)".formatted(PROMOTION_LIMIT.toSeconds()));
      statement.execute("checkpoint");
    } catch (SQLException e) {
      throw new IllegalStateException("The standby was not promoted", e);
    }
  }

  private static void copyFiles(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            Path target = to.resolve(from.relativize(folder));
            if (!Files.exists(target)) {
              Files.copy(folder, target, StandardCopyOption.COPY_ATTRIBUTES);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!file.getFileName().toString().startsWith("postmaster.")) {
              try {
                Files.copy(
                    file,
                    to.resolve(from.relativize(file)),
                    StandardCopyOption.COPY_ATTRIBUTES,
                    StandardCopyOption.REPLACE_EXISTING);
              } catch (NoSuchFileException e) {
                // Gone meanwhile; the log that is replayed knows.
                return FileVisitResult.CONTINUE;
              }
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }
        });
  }
}
