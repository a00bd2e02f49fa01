package dev.twinbox.testkit;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;

/** Unpacks PostgreSQL from the class path, once per version and JVM. */
final class PostgresBinaries {
  private static final Map<PostgresVersion, Path> UNPACKED = new EnumMap<>(PostgresVersion.class);

  private PostgresBinaries() {}

  /** The folder that holds {@code bin}, {@code lib} and {@code share}. */
  static Path unpacked(PostgresVersion version) {
    synchronized (UNPACKED) {
      Path folder = UNPACKED.get(version);
      if (folder == null) {
        folder = unpack(version);
        UNPACKED.put(version, folder);
      }
      return folder;
    }
  }

  private static Path unpack(PostgresVersion version) {
    Path folder =
        ExitCleanup.temporaryFolder("postgres-" + version.name().toLowerCase(Locale.ROOT));
    try (InputStream archive = archive(version);
        TarArchiveInputStream tar =
            new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(archive)))) {
      // Readable by everyone: called as root, the server runs as somebody else.
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        write(folder.resolve(entry.getName()).normalize(), entry, tar);
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL " + version + " could not be unpacked", e);
    }
  }

  private static void write(Path file, TarArchiveEntry entry, InputStream content)
      throws IOException {
    if (entry.isDirectory()) {
      Files.createDirectories(file);
      return;
    }
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
      return;
    }
    Files.copy(content, file);
    boolean executable = (entry.getMode() & 0100) != 0;
    Files.setPosixFilePermissions(
        file, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
  }

  private static InputStream archive(PostgresVersion version) throws IOException {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    String name = system.startsWith("mac") ? "darwin" : system;
    String architecture = machine.equals("amd64") ? "x86_64" : machine;
    @Nullable InputStream found =
        switch (version) {
          case V14 ->
              PostgresBinaries.class.getResourceAsStream(
                  "postgres14/postgres-" + name + "-" + architecture + ".txz");
          case V18 -> DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(name, architecture);
        };
    if (found == null) {
      throw new IOException(
          "The class path has no PostgreSQL %s for %s on %s; add the fitting jar of group io.zonky.test.postgres"
              .formatted(version, name, architecture));
    }
    return found;
  }
}
