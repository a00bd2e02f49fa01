package dev.twinbox.benchmarks.worker;

/**
 * What runs in a process of its own and is measured there. One command at a time, each answered
 * when it is done.
 */
public interface Worker extends AutoCloseable {
  /**
   * Does what it is told.
   *
   * @param verb what to do
   * @param arguments with what
   * @return the answer, on one line
   */
  String obey(String verb, String... arguments) throws Exception;

  @Override
  void close() throws Exception;
}
