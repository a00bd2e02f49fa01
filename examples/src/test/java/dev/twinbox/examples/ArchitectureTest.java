package dev.twinbox.examples;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The arrows between modules, and between packages of relay and brokers, go one way. */
class ArchitectureTest {
  private static final String ALL = "dev.twinbox..";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.twinbox");

  /** As in docs/adr/0030. Libraries that are not named here are free to use. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "broker     |",
        "postgres   |",
        "setaside   |",
        "testkit    |",
        "outbox     | broker postgres",
        "migrations | postgres",
        "inbox      | broker postgres setaside",
        "redis      | broker inbox setaside",
        "contract   | broker inbox migrations testkit",
        "kafka      | broker inbox setaside",
        "rabbitmq   | broker inbox setaside",
        "rocketmq   | broker inbox",
        "relay      | broker postgres setaside outbox",
        "cli        | broker postgres setaside outbox inbox kafka rabbitmq relay migrations",
      })
  void aModuleKnowsOnlyThoseBelowIt(String module, @Nullable String below) {
    String own = "dev.twinbox." + module + "..";
    List<String> known = new ArrayList<>(List.of(own));
    if (below != null) {
      Arrays.stream(below.split(" ")).map(name -> "dev.twinbox." + name + "..").forEach(known::add);
    }
    check(
        noClasses()
            .that()
            .resideInAPackage(own)
            .should()
            .dependOnClassesThat(
                resideInAPackage(ALL).and(not(resideInAnyPackage(known.toArray(String[]::new))))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "broker   | kafka rabbitmq jooq jackson worker",
        "postgres | kafka rabbitmq jackson worker",
        "outbox   | kafka rabbitmq worker",
        "setaside | kafka rabbitmq jackson worker",
        "inbox    | kafka rabbitmq worker",
        "redis    | kafka rabbitmq jooq jackson worker",
        "kafka    | rabbitmq jooq jackson worker",
        "rabbitmq | kafka jooq worker",
        "relay    | kafka rabbitmq jackson worker",
        "cli      | kafka rabbitmq",
      })
  void librariesOfOthersAreNotUsed(String module, String libraries) {
    String[] packages =
        Arrays.stream(libraries.split(" "))
            .flatMap(
                library ->
                    switch (library) {
                      case "kafka" -> Stream.of("org.apache.kafka..");
                      case "rabbitmq" -> Stream.of("com.rabbitmq..");
                      case "jooq" -> Stream.of("org.jooq..");
                      case "jackson" -> Stream.of("com.fasterxml..");
                      default ->
                          Stream.of(
                              "picocli..", "com.zaxxer..", "org.flywaydb..", "ch.qos.logback..");
                    })
            .toArray(String[]::new);
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.twinbox." + module + "..")
            .should()
            .dependOnClassesThat(resideInAnyPackage(packages)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"kafka", "rabbitmq", "rocketmq"})
  void aBrokersPackagesAreLayers(String broker) {
    String own = "dev.twinbox." + broker;
    check(
        layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage(own + "..")
            .layer("publisher")
            .definedBy(own + ".publisher..")
            .layer("consumer")
            .definedBy(own + ".consumer..")
            .layer("doctor")
            .definedBy(own + ".doctor..")
            .layer("addresses")
            .definedBy(own)
            .whereLayer("publisher")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("consumer")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("doctor")
            .mayOnlyBeAccessedByLayers("publisher", "consumer"));
  }

  @Test
  void theRelaysPackagesAreLayers() {
    check(
        layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.twinbox.relay..")
            .layer("relay")
            .definedBy("dev.twinbox.relay")
            .layer("doctor")
            .definedBy("dev.twinbox.relay.doctor..")
            .layer("deadletter")
            .definedBy("dev.twinbox.relay.deadletter..")
            .layer("archive")
            .definedBy("dev.twinbox.relay.archive..")
            .layer("scheduled")
            .definedBy("dev.twinbox.relay.scheduled..")
            .layer("schedule")
            .definedBy("dev.twinbox.relay.schedule..")
            .layer("drain")
            .definedBy("dev.twinbox.relay.drain..")
            .layer("metrics")
            .definedBy("dev.twinbox.relay.metrics..")
            .layer("status")
            .definedBy("dev.twinbox.relay.status..")
            .layer("store")
            .definedBy("dev.twinbox.relay.store..")
            .whereLayer("metrics")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("relay")
            .mayOnlyBeAccessedByLayers("metrics")
            .whereLayer("status")
            .mayOnlyBeAccessedByLayers("relay", "metrics")
            .whereLayer("deadletter")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("scheduled")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("archive")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("doctor")
            .mayOnlyBeAccessedByLayers("relay")
            .whereLayer("schedule")
            .mayOnlyBeAccessedByLayers("relay")
            .whereLayer("drain")
            .mayOnlyBeAccessedByLayers("schedule", "relay", "metrics")
            .whereLayer("store")
            .mayOnlyBeAccessedByLayers(
                "drain",
                "schedule",
                "relay",
                "doctor",
                "deadletter",
                "archive",
                "scheduled",
                "status"));
  }

  @Test
  void noPackagesGoRoundInACircle() {
    check(slices().matching("dev.twinbox.(**)").should().beFreeOfCycles());
  }

  @Test
  void packagesAreNullMarked() {
    check(
        classes()
            .that()
            .haveSimpleName("package-info")
            .should()
            .beAnnotatedWith(org.jspecify.annotations.NullMarked.class));
  }

  @Test
  void theClassesOfAllModulesAreLookedAt() {
    for (String module :
        new String[] {
          "broker",
          "outbox",
          "setaside",
          "inbox",
          "redis",
          "kafka",
          "rabbitmq",
          "relay",
          "cli",
          "migrations",
          "testkit",
          "contract",
          "examples"
        }) {
      assertThat(CLASSES)
          .as(module)
          .anyMatch(c -> c.getPackageName().startsWith("dev.twinbox." + module));
    }
  }

  private static void check(ArchRule rule) {
    rule.check(CLASSES);
  }
}
