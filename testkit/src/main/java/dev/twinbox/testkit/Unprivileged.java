package dev.twinbox.testkit;

import java.nio.file.Path;
import java.util.List;

/** How to run a program that refuses to be root, PostgreSQL among them. */
enum Unprivileged {
  /** This JVM is not root: nothing to do. */
  SELF(List.of()),
  /** A user namespace in which root has no name; files keep their owner. */
  NAMESPACE(List.of("unshare", "-U")),
  /** Where namespaces are forbidden, as in many containers. */
  NOBODY(List.of("runuser", "-u", "nobody", "--"));

  @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable
  private final List<String> prefix;

  Unprivileged(List<String> prefix) {
    this.prefix = prefix;
  }

  static Unprivileged detect() {
    if (!Commands.isRoot()) {
      return SELF;
    }
    return Commands.run("unshare", "-U", "true").exitCode() == 0 ? NAMESPACE : NOBODY;
  }

  List<String> command(String... command) {
    return Commands.join(prefix, command);
  }

  void own(Path folder) {
    if (this == NOBODY) {
      Commands.run("chown", "-R", "nobody", folder.toString()).orFail("chown");
    }
  }
}
