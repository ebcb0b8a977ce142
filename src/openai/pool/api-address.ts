import type { ConfigIssue } from '../../errors/config-error.ts';
import { withoutTrailing } from '../../internal/without-trailing.ts';

/** The address of requests, in the form of the `openai` client. */
export interface ApiAddress {
  readonly baseURL: string;
  /** Set where the deployment is in the path: the client is then an `AzureOpenAI`. */
  readonly deploymentsVersion: string | undefined;
  /** Set where Azure accepts requests in OpenAI's form, with its version in the query. */
  readonly queryVersion: string | undefined;
  /** Whether a key that is a string goes into the header `api-key`, as Azure expects. */
  readonly isAzure: boolean;
}

/** Hosts of Azure OpenAI and of Azure AI Foundry, national clouds included. */
const AZURE_HOST = /\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)$/;
/** Hosts of pages about a resource, which people mistake for its address. */
const PORTAL_HOST = /^(portal|ai|oai)\.azure\.com$/;
/** The end of a whole request's address, as the portal shows it under "Target URI". */
const OPERATION = /\/(chat\/completions|responses)$/;
const DATED_VERSION = /^\d{4}-\d{2}-\d{2}/;

const VERSION = 'api-version';
const RESOURCE = 'https://NAME.openai.azure.com';

interface Parts {
  readonly url: URL;
  /** Without slashes at its end, and without an operation. */
  readonly path: string;
  readonly versions: readonly string[];
  readonly otherQuery: readonly string[];
}

function partsOf(baseURL: string, apiVersion: string | undefined): Parts {
  const url = new URL(baseURL);
  const given = withoutTrailing(url.pathname, '/').replace(OPERATION, '');
  const path = AZURE_HOST.test(url.hostname) ? azurePath(given) : given;
  const versions = apiVersion === undefined ? [] : [apiVersion];
  const otherQuery: string[] = [];
  for (const [name, value] of url.searchParams) {
    if (name.toLowerCase() === VERSION) versions.push(value);
    else otherQuery.push(name);
  }
  return { url, path, versions: [...new Set(versions)], otherQuery };
}

/** Accepts usual spellings of an Azure path: doubled slashes, OpenAI's form, or the path up to a deployment's name. */
function azurePath(path: string): string {
  const single = path.replace(/\/{2,}/g, '/');
  return single === '/v1' ? '/openai/v1' : single.replace(/^\/openai\/deployments$/, '/openai');
}

const isV1 = (path: string): boolean => path.endsWith('/openai/v1');
const isBare = (path: string): boolean => path === '' || path === '/openai';
const namesDeployment = (path: string): boolean => path.split('/').includes('deployments');

/** Lists the problems of an address of the API, each with the right form. The URL itself is valid. */
export function addressIssues(baseURL: string, apiVersion: string | undefined, option: string): readonly ConfigIssue[] {
  const { url, path, versions, otherQuery } = partsOf(baseURL, apiVersion);
  const [version] = versions;
  const issue = (expected: string, got: string) => [{ option, expected, got }];
  if (otherQuery.length > 0) {
    return issue(
      `a URL whose query has nothing but Azure's ${VERSION} (pass headers, or extraBody for fields of the body)`,
      'another query (not shown)',
    );
  }
  if (versions.length > 1) return issue(`one ${VERSION}, in the URL or in apiVersion`, 'two that differ');
  if (PORTAL_HOST.test(url.hostname)) {
    return issue(`the address of the resource, such as ${RESOURCE}`, `a page of ${url.hostname}`);
  }
  if (namesDeployment(path) && version === undefined) {
    return issue(
      `an apiVersion beside a deployment, such as '2024-10-21', or ${url.origin}/openai/v1`,
      'an address of a deployment alone',
    );
  }
  if (isV1(path) && version !== undefined && DATED_VERSION.test(version)) {
    return issue(
      `no apiVersion or 'preview' with /openai/v1, or ${url.origin} with apiVersion ${JSON.stringify(version)}`,
      'a dated version beside /openai/v1',
    );
  }
  if (!AZURE_HOST.test(url.hostname)) return [];
  if (path.startsWith('/api/projects') && !isV1(path)) {
    return issue(`${url.origin}/openai/v1`, 'an address of a project');
  }
  if (path === '/models' && version === undefined) {
    return issue(`an apiVersion, such as '2024-05-01-preview', or ${url.origin}/openai/v1`, 'none beside /models');
  }
  return [];
}

/** The address for the client, from one in which `addressIssues` finds nothing wrong. */
export function apiAddress(baseURL: string, apiVersion: string | undefined): ApiAddress {
  const { url, path, versions } = partsOf(baseURL, apiVersion);
  const [version] = versions;
  const isAzureHost = AZURE_HOST.test(url.hostname);
  const isAzure = isAzureHost || version !== undefined;
  const at = (own: string) => url.origin + own;
  // A gateway's own /v1 may have deployments below it, for which a dated version is given.
  const wantsDeployments = apiVersion !== undefined && DATED_VERSION.test(apiVersion) && !isV1(path);
  // In its form of OpenAI's API, Azure has no deployment in the path.
  if ((path.endsWith('/v1') && !wantsDeployments) || path === '/models') {
    return { baseURL: at(path), deploymentsVersion: undefined, queryVersion: version, isAzure };
  }
  if (version !== undefined) {
    const own = isBare(path) ? '/openai' : path;
    return { baseURL: at(own), deploymentsVersion: version, queryVersion: undefined, isAzure };
  }
  const own = isAzureHost && isBare(path) ? '/openai/v1' : path;
  return { baseURL: at(own), deploymentsVersion: undefined, queryVersion: undefined, isAzure };
}
