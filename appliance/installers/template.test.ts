import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderTemplate } from './template.ts'

const options = { repo_url: 'http://x/tree', secure: true, plain: false, liveimg_url: undefined }

describe('a kickstart template', () => {
  it.each([
    ['url --url={{ ks_options.repo_url }}', 'url --url=http://x/tree'],
    [`{{ks_options['repo_url']}} {{ ks_options["repo_url"] }}`, 'http://x/tree http://x/tree'],
    [
      "{% if 'liveimg_url' in ks_options %}live{% elif 'repo_url' in ks_options %}tree{% else %}none{% endif %}",
      'tree',
    ],
    ['a{% if ks_options.secure %}b{% endif %}{% if ks_options.plain %}c{% endif %}d', 'abd'],
    ['{% if not ks_options.plain %}yes{% else %}no{% endif %}', 'yes'],
    ['{% if ks_options.plain %}{% if ks_options.secure %}a{% else %}b{% endif %}{% else %}c{% endif %}', 'c'],
    ['{% if ks_options.secure -%}\nx\n{% endif %}\ny', 'x\ny'],
    ['one{# {{ not this }} #}two', 'onetwo'],
    ['%pre\ncurl -d \'{"a": "b"}\'\n%end', '%pre\ncurl -d \'{"a": "b"}\'\n%end'],
    ['{% if ks_options.plain %}{{ ks_options.unknown }}{% endif %}', ''],
  ])('%j becomes %j', (template, expected) => {
    expect(renderTemplate(template, options)).toBe(expected)
  })

  it.each([
    ['one\ntwo {{ ks_options.nothing }}', /line 2: .*no such option; there is repo_url, secure, plain/],
    ['{{ ks_options.liveimg_url }}', /no such option/],
    ['{{ config.password }}', /only \{\{ ks_options\.NAME \}\}/],
    ["{{ ks_options.repo_url | replace('x', 'y') }}", /only \{\{ ks_options\.NAME \}\}/],
    ['{% for a in b %}{% endfor %}', /only if, elif, else and endif/],
    ['{% if 1 == 1 %}{% endif %}', /as conditions/],
    ['{% if ks_options.secure %}', /lacks its \{% endif %\}/],
    ['\n\n{% endif %}', /line 3: .*no \{% if %\} before it/],
    ['{% if ks_options.secure %}'.repeat(17), /more than 16/],
  ])('%j is refused, with its line and why', (template, why) => {
    expect(() => renderTemplate(template, options)).toThrow(why)
  })

  it('of any text either comes out or is refused, and a text without tags stays as it is', () => {
    const pieces = fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      'if',
      'else',
      'endif',
      'ks_options.secure',
      ' ',
      '\n',
      'a',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (words) => {
        const template = words.join('')
        let made: string | undefined
        try {
          made = renderTemplate(template, options)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
        if (!/\{[{%#]/.test(template)) expect(made).toBe(template)
      }),
    )
  })
})
