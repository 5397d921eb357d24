import tseslint from 'typescript-eslint';

/** Comparing these byte by byte tells by its time how many are right: compare digests with timingSafeEqual. */
const SECRET = '/secret|token|password|hash|digest|signature|mac$/i';
const EITHER = ['left', 'right'].flatMap((side) => [
  `[${side}.name=${SECRET}]`,
  `[${side}.property.name=${SECRET}]`,
  `[${side}.expression.property.name=${SECRET}]`,
]);
const COMPARED_SECRET = [
  'BinaryExpression[operator=/^[!=]==?$/]',
  `:matches(${EITHER.join()})`,
  ':not([left.name="undefined"], [right.name="undefined"])',
  ':not([left.type="Literal"], [right.type="Literal"])',
].join('');

const fromTap = (name) => ({ from: 'package', package: '@tapjs/core', name });

export default tseslint.config(
  { ignores: ['dist', '.tap', '.data', 'coverage', 'node_modules'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            fromTap('test'),
            { from: 'package', package: 'tap', name: 'test' },
          ],
        },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Marked so that it stands out; used for a provider on this machine only.
      '@typescript-eslint/no-deprecated': [
        'error',
        {
          allow: [{ from: 'package', name: 'allowInsecureRequests', package: 'openid-client' }],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      complexity: ['error', { max: 8, variant: 'modified' }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'off',
    },
  },
  {
    files: ['src/{api,composition,infrastructure}/**/*.ts'],
    // The hashes of the trail are public.
    ignores: ['src/infrastructure/audit/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: COMPARED_SECRET, message: 'Compare digests with timingSafeEqual.' },
      ],
    },
  },
  {
    files: ['src/domain/**/*.ts', 'src/commands/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'setInterval', 'fetch'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness comes in from the edge.' },
        { object: 'Date', property: 'now', message: 'The instant comes in from the edge.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
