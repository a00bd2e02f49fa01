package dev.twinbox.examples.common;

import java.io.PrintWriter;
import java.util.Locale;

/** One line that is rewritten on a terminal; elsewhere a line each second. Thread-safe. */
public final class Progress {
  private static final long REWRITE_NANOS = 200_000_000L;
  private static final long LINE_NANOS = 1_000_000_000L;

  private final PrintWriter out;
  private final boolean terminal = Boolean.getBoolean("twinbox.terminal");
  private final long start = System.nanoTime();
  private long nextAt = start;
  private boolean lineIsOpen;

  /** Its time begins now. */
  public Progress(PrintWriter out) {
    this.out = out;
  }

  /** Seconds since it was made. */
  public double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  /** A line of its own. */
  public synchronized void say(String text) {
    finishLine();
    out.println(text);
    out.flush();
  }

  /** Shows how far it is, if it is time to. */
  public synchronized void show(String text) {
    long now = System.nanoTime();
    if (now - nextAt < 0) {
      return;
    }
    nextAt = now + (terminal ? REWRITE_NANOS : LINE_NANOS);
    String line = String.format(Locale.ROOT, "%4.0f s  %s", seconds(), text);
    if (terminal) {
      out.print("\r" + line + "\u001b[K");
      lineIsOpen = true;
    } else {
      out.println(line);
    }
    out.flush();
  }

  private void finishLine() {
    if (lineIsOpen) {
      out.println();
      lineIsOpen = false;
    }
  }
}
