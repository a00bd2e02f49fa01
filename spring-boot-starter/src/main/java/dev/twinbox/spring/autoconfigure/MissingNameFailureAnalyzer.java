package dev.twinbox.spring.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says how to name a service that has no name. */
final class MissingNameFailureAnalyzer extends AbstractFailureAnalyzer<MissingNameException> {
  @Override
  protected FailureAnalysis analyze(Throwable rootFailure, MissingNameException cause) {
    return new FailureAnalysis(cause.getMessage(), cause.remedy(), cause);
  }
}
