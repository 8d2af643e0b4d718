// The way of the data as a check: a stage may import only what stands to its left.
const nouns = ['^src/(model|decision)\\.ts', '^src/clock\\.ts'];
const stage = (name, from, left) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...nouns, ...left] },
});
const home = (pkg, path) => ({
  name: `${pkg}-has-one-home`,
  severity: 'error',
  from: { path: '^src/', pathNot: path },
  to: { path: `node_modules/(@types/)?${pkg}/` },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'model-imports-nothing', severity: 'error', from: { path: '^src/model\\.ts' }, to: {} },
    {
      name: 'decision-imports-the-model',
      severity: 'error',
      from: { path: '^src/decision\\.ts' },
      to: { pathNot: '^src/model\\.ts' },
    },
    stage('config-is-first', '^src/config/', []),
    stage('engine-knows-the-nouns', '^src/engine/', ['^src/config/image-reference\\.ts']),
    stage('observe-reads', '^src/observe/', ['^src/engine/container-engine\\.ts', '^src/config/schema\\.ts']),
    stage('plan-is-a-function', '^src/plan/', ['^src/config/schema\\.ts']),
    {
      name: 'plan-touches-no-package',
      severity: 'error',
      from: { path: '^src/plan/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] },
    },
    stage('policy-narrows', '^src/policy/', ['^src/config/']),
    stage('simulate-replaces-the-world', '^src/simulate/', [
      '^src/config/',
      '^src/plan/',
      '^src/observe/look-schedule\\.ts',
      '^src/journal/seen-host\\.ts',
    ]),
    stage('act-follows-the-plan', '^src/act/', ['^src/engine/container-engine\\.ts', '^src/plan/unanswered\\.ts']),
    stage('journal-keeps-what-was', '^src/journal/', [
      '^src/config/schema\\.ts',
      '^src/report/(event|post-mortem|recorded-event|shown)\\.ts',
    ]),
    stage('report-tells-what-was', '^src/report/', ['^src/config/(schema|quantity|redact)\\.ts']),
    stage('http-shows-what-was', '^src/http/', ['^src/report/', '^src/journal/']),
    stage('the-page-is-shown', '^src/page/', ['^src/report/']),
    {
      name: 'nobody-imports-the-commands',
      severity: 'error',
      from: { pathNot: '^(src/cli/|test/)' },
      to: { path: '^src/cli/' },
    },
    home('dockerode', '^src/engine/docker-'),
    home('simple-git', '^src/config/git/'),
    home('js-yaml', '^src/config/yaml\\.ts'),
    home('zod', '^src/(config|policy|simulate)/|^src/report/status-shape\\.ts'),
    home('systeminformation', '^src/observe/system-information\\.ts'),
    home('commander', '^src/cli/'),
    home('pino', '^src/report/'),
    home('prom-client', '^src/report/metric'),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
