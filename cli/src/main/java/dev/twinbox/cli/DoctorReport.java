package dev.twinbox.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What the doctor found, for people and for machines; the worst comes first. */
final class DoctorReport {
  private DoctorReport() {}

  /** As {@code twinbox doctor --json} prints it. */
  record Report(String verdict, int exitCode, List<Line> findings) {}

  /** One finding. */
  record Line(
      String code, String severity, String subject, String value, String risk, String remedy) {}

  static String json(Diagnosis diagnosis) throws JsonProcessingException {
    List<Line> lines =
        worstFirst(diagnosis).stream()
            .map(
                f ->
                    new Line(
                        f.code(),
                        f.severity().code(),
                        f.subject(),
                        f.value(),
                        f.risk(),
                        f.remedy()))
            .toList();
    Report report = new Report(diagnosis.worst().code(), diagnosis.exitCode(), lines);
    return JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(report)
        + System.lineSeparator();
  }

  static String text(Diagnosis diagnosis) {
    StringBuilder text = new StringBuilder();
    for (Finding finding : worstFirst(diagnosis)) {
      text.append(
          "%-8s %s: %s%n"
              .formatted(
                  finding.severity().name().toLowerCase(Locale.ROOT),
                  finding.subject(),
                  finding.value()));
      if (finding.severity() != Severity.OK) {
        text.append("         code    %s%n".formatted(finding.code()));
        text.append("         risk    %s%n".formatted(finding.risk()));
        text.append("         remedy  %s%n".formatted(finding.remedy()));
      }
    }
    return text.append(verdict(diagnosis)).append(System.lineSeparator()).toString();
  }

  private static String verdict(Diagnosis diagnosis) {
    String counted =
        "%n%s dangers, %s warnings, %s unknown, %s ok: "
            .formatted(
                diagnosis.count(Severity.DANGER),
                diagnosis.count(Severity.WARNING),
                diagnosis.count(Severity.UNKNOWN),
                diagnosis.count(Severity.OK));
    return counted
        + switch (diagnosis.worst()) {
          case OK -> "all is well.";
          case UNKNOWN -> "no danger in what could be read.";
          case WARNING -> "nothing is lost as it stands, but look at the warnings.";
          case DANGER -> "messages can be lost, or cannot be sent.";
        };
  }

  private static List<Finding> worstFirst(Diagnosis diagnosis) {
    return diagnosis.findings().stream()
        .sorted(Comparator.comparing(Finding::severity).reversed())
        .toList();
  }
}
