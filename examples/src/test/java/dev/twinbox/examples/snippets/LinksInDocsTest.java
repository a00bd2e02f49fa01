package dev.twinbox.examples.snippets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Each relative link of a page leads to a file, and to a heading of it where it names one. */
final class LinksInDocsTest {
  private static final Path ROOT = Path.of("..");
  private static final Path DOCS = ROOT.resolve("docs");
  private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```$");
  private static final Pattern CODE = Pattern.compile("`[^`\\n]+`");
  private static final Pattern LINK = Pattern.compile("]\\(([^()\\s]+)\\)");
  private static final Pattern WITH_SCHEME = Pattern.compile("^[a-z][a-z0-9+.-]*:.*");
  private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6} +(.+?) *#*$");
  private static final Pattern LINK_TEXT = Pattern.compile("\\[([^]]*)]\\([^)]*\\)");
  private static final Pattern NOT_IN_ANCHORS = Pattern.compile("[^\\p{L}\\p{N}_ -]");

  @Test
  void everyRelativeLinkLeadsToAFileAndAHeading() throws IOException {
    List<String> broken = new ArrayList<>();
    Map<Path, Set<String>> anchors = new HashMap<>();
    for (Path page : pages(ROOT)) {
      for (String link : links(page)) {
        if (!resolves(page, link, anchors)) {
          broken.add(ROOT.relativize(page) + ": " + link);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void docsReadmeLeadsToEveryPage() throws IOException {
    Path entrance = DOCS.resolve("README.md");
    Set<Path> linked = new HashSet<>();
    for (String link : links(entrance)) {
      linked.add(DOCS.resolve(link.replaceFirst("#.*", "")).normalize());
    }
    List<Path> others =
        pages(DOCS).stream()
            .filter(page -> DOCS.equals(page.getParent()) && !page.equals(entrance))
            .map(Path::normalize)
            .toList();
    assertThat(linked).containsAll(others);
  }

  @Test
  void anchorsAreThoseOfGitHub() {
    assertThat(anchors("# A `b_c`: d, e\n\n## A b\n```\n# not a heading\n```\n### A b\n"))
        .containsExactlyInAnyOrder("a-b_c-d-e", "a-b", "a-b-1");
  }

  private static boolean resolves(Path page, String link, Map<Path, Set<String>> anchors)
      throws IOException {
    int hash = link.indexOf('#');
    String file = hash < 0 ? link : link.substring(0, hash);
    Path target = file.isEmpty() ? page : page.resolveSibling(file).normalize();
    if (!Files.exists(target)) {
      return false;
    }
    if (hash < 0) {
      return true;
    }
    if (!anchors.containsKey(target)) {
      anchors.put(target, anchors(Files.readString(target, UTF_8)));
    }
    return anchors.get(target).contains(link.substring(hash + 1));
  }

  /** The links of a page that have no scheme, such as {@code https:}. */
  static List<String> links(Path page) throws IOException {
    String text = FENCED.matcher(Files.readString(page, UTF_8)).replaceAll("");
    Matcher link = LINK.matcher(CODE.matcher(text).replaceAll("code"));
    return link.results()
        .map(found -> found.group(1))
        .filter(target -> !WITH_SCHEME.matcher(target).matches())
        .toList();
  }

  /** The anchors that GitHub gives to a page's headings. */
  private static Set<String> anchors(String page) {
    Set<String> anchors = new HashSet<>();
    Map<String, Integer> seen = new HashMap<>();
    Matcher heading = HEADING.matcher(FENCED.matcher(page).replaceAll(""));
    while (heading.find()) {
      String text = LINK_TEXT.matcher(heading.group(1)).replaceAll("$1");
      String anchor =
          NOT_IN_ANCHORS.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("").replace(' ', '-');
      int before = seen.merge(anchor, 1, Integer::sum) - 1;
      anchors.add(before == 0 ? anchor : anchor + "-" + before);
    }
    return anchors;
  }

  /** The pages below a folder, but for those in folders of builds and of tools. */
  static List<Path> pages(Path folder) throws IOException {
    List<Path> pages = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes) {
            String name = each.getFileName().toString();
            boolean isForeign = name.equals("target") || name.matches("\\.[^.].*");
            return isForeign ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path each, BasicFileAttributes attributes) {
            if (each.toString().endsWith(".md")) {
              pages.add(each);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return pages;
  }
}
