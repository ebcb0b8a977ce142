import ts from 'typescript';

/** How the options of one spec are ignored: the file, and the text there that is written anew. */
interface Planting {
  readonly file: string;
  readonly rewrite: (code: string, path: readonly string[]) => string;
}

/** Replaces every match, and throws where there is none: then the source has changed, and this file must follow. */
function replaced(code: string, find: RegExp, replace: (...match: readonly string[]) => string): string {
  let count = 0;
  const result = code.replace(find, (...match) => {
    count += 1;
    return replace(...match.filter((part) => typeof part === 'string'));
  });
  if (count === 0) throw new Error(`no ${find} in the source`);
  return result;
}

/** An expression without the value at a path; `[]` stands for every element of a list. */
function without(value: string, [name = '', ...rest]: readonly string[]): string {
  if (name === '[]') return `${value}.map((element) => ${without('element', rest)})`;
  const field = `${value}.${name}`;
  if (rest.length === 0) return `({ ...${value}, ${name}: undefined })`;
  const isOptions = rest[0] === '[]' ? 'true' : `typeof ${field} === 'object'`;
  return `({ ...${value}, ${name}: ${field} && ${isOptions} ? ${without(field, rest)} : ${field} })`;
}

/** Settings that were checked as they are, and then lose the option for its default. */
const settingsWithout = (file: string): Planting => ({
  file,
  rewrite: (code, [name]) =>
    replaced(
      code,
      /methodSettings\((\w+), (\w+_SPEC)\)/g,
      (call, _given, spec) => `({ ...${call}, ${name}: methodSettings({}, ${spec}).${name} })`,
    ),
});

const BULK = 'src/describe-client/bulk';

/** Ignores an option after it was checked, so that only a test of its effect notices. */
const PLANTINGS: Readonly<Record<string, Planting>> = {
  client: {
    file: 'src/describe-client/options/client-settings.ts',
    rewrite: (code, path) =>
      replaced(
        replaced(code, /joinedSettings\(given,/g, () => 'joinedSettings(ignoring(given),'),
        /proxyRule\(given\.proxy,/g,
        () => 'proxyRule(ignoring(given).proxy,',
      ).concat(`\nconst ignoring = (given) => settingsOf(${without('given', path)}, CLIENT_SPEC);\n`),
  },
  request: {
    file: 'src/describe-client/call/normalise-request.ts',
    rewrite: (code, [name]) =>
      replaced(
        code,
        /const merged = ([^;]+);\n {2}return/g,
        (_, value) => `const merged = Object.create(${value}, { ${name}: { value: undefined } });\n  return`,
      ),
  },
  describeMany: {
    file: `${BULK}/describe-many.ts`,
    rewrite: (code, [name]) =>
      replaced(
        code,
        /const options = callOptions\(given\);(\s+throwInputIssues\([^;]+;)/g,
        (_, check) => `const checked = callOptions(given);${check?.replace('(options,', '(checked,')}
          const options = { ...checked, ${name}: undefined };`,
      ),
  },
  warm: settingsWithout(`${BULK}/warm-cache.ts`),
  estimate: settingsWithout(`${BULK}/estimate-calls.ts`),
  member: {
    file: 'src/describe-client/describe-client.ts',
    rewrite: (code, [name]) => withoutMember(code, name ?? ''),
  },
};

/** The class with a method or getter that does nothing. */
function withoutMember(code: string, name: string): string {
  const file = ts.createSourceFile('client.ts', code, ts.ScriptTarget.Latest, true);
  const bodies: ts.Block[] = [];
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    if (isMember && node.body !== undefined && node.name.getText(file) === name) bodies.push(node.body);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const [body] = bodies;
  if (body === undefined) throw new Error(`no member ${name}`);
  return `${code.slice(0, body.getStart(file) + 1)} return undefined as never; ${code.slice(body.getStart(file) + 1)}`;
}

/** Members of the client, by its source. */
export function membersOf(code: string): readonly string[] {
  const file = ts.createSourceFile('client.ts', code, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    if (isMember && node.body !== undefined) names.add(node.name.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...names].filter((name) => !name.startsWith('#'));
}

/** Throws where an option cannot be ignored, for its source has changed. `read` gives the text of a file. */
export function assertPlantable(option: string, read: (file: string) => string): void {
  const { file = '' } = PLANTINGS[option.split('.')[0] ?? ''] ?? {};
  ignoring(option, `/${file}`, read(file));
}

/**
 * The source of a file in which an option has no effect; undefined for a file that has nothing to do with it. An option
 * is named by its owner and its path: `client.limits.maxConcurrency`, `client.endpoints.[].weight`, `member.health`.
 */
export function ignoring(option: string, path: string, code: string): string | undefined {
  const [owner = '', ...rest] = option.split(/\.(?!asyncDispose)/);
  const planting = PLANTINGS[owner];
  if (planting === undefined) throw new Error(`${option} has no known owner`);
  return path.endsWith(`/${planting.file}`) ? planting.rewrite(code, rest) : undefined;
}
