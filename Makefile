# The verbs of the HAL network. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Only where podman's defaults cannot work does the lab write this file.
export CONTAINERS_CONF ?= $(wildcard $(CURDIR)/.lab/containers.conf)
ifeq ($(CONTAINERS_CONF),)
unexport CONTAINERS_CONF
endif

export Q ?= What medications am I taking?
HOST ?= qm1
ROLE ?=
PROFILE ?=
KILLS ?= 20
SEED ?=

.PHONY: help
help: ## List these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: tools
tools: ## Install what the lab and the tests need on this machine
	@lab/bootstrap.sh

.PHONY: test-tools
test-tools:
	@lab/bootstrap.sh --for-tests

.PHONY: lab
lab: tools ## Bring the whole network up on this machine and ask it something; with twins: make lab PROFILE=ha
	@python lab/lab.py up $(if $(PROFILE),--profile $(PROFILE))

.PHONY: lab-down
lab-down: ## Remove everything the lab made, but for the downloads
	@python lab/lab.py down

.PHONY: lab-clear
lab-clear: ## Remove every lab of this machine, those that other checkouts have left, too
	@python lab/lab.py clear

.PHONY: converge
converge: ## Run site.yml again
	@ansible-playbook site.yml

.PHONY: health
health: ## Run every check and write reports/health.html, a page to read, and health.json
	@ansible-playbook playbooks/verify.yml

.PHONY: docs
docs: ## Write the network reference and a card to print to reports/network/
	@ansible-playbook playbooks/docs.yml

.PHONY: status
status: ## Show the last report of the checks in this terminal
	@PYTHONPATH=src python -m hal.client.cli status --report reports

.PHONY: drift
drift: ## List what site.yml would change, host by host, and tell the monitoring
	@ansible-playbook playbooks/drift.yml

.PHONY: drift-schedule
drift-schedule: ## Have that done every day by this computer
	@ansible-playbook playbooks/drift_schedule.yml

.PHONY: ask
ask: ## Ask HAL by text: make ask Q='When is my next appointment?'
	@python lab/lab.py client ask "$${Q}"

.PHONY: say
say: ## Ask HAL by voice: the question is spoken, its sound is sent
	@python lab/lab.py client say "$${Q}"

.PHONY: shell
shell: ## Open a shell on a host of the lab: make shell HOST=ubuai
	@python lab/lab.py shell $(HOST)

.PHONY: drill
drill: ## Lose a host of the lab for good, bring it back, measure: make drill HOST=ubuai, or HOST=all
	@python lab/drill.py $(HOST)

.PHONY: production-init
production-init: tools ## Fill in the production inventory: a few questions, the secrets made and encrypted
	@python -m production.init

.PHONY: production-secrets
production-secrets: tools ## Edit the production secrets
	@ansible-vault edit --vault-password-file "$${ANSIBLE_VAULT_PASSWORD_FILE:-$(HOME)/.config/hal/vault-password}" inventories/production/vault.yml

.PHONY: lint
lint: tools ## Formatting, lint, types
	@python tests/run.py lint

.PHONY: unit
unit: test-tools ## Unit tests
	@python tests/run.py unit

.PHONY: windows
windows: tools ## Check the Windows plays, without Windows
	@python tests/run.py windows

.PHONY: molecule
molecule: tools ## Test the roles, or one: make molecule ROLE=haproxy
	@python tests/molecule.py $(ROLE)

.PHONY: test-qm
test-qm: tools ## Run the QM programs on this machine's OpenQM or ScarletDME
	@python tests/run.py qm

.PHONY: test-wine
test-wine: tools ## Run the gateway as a Windows service, under Wine
	@python tests/run.py wine

.PHONY: test-interruption
test-interruption: ## Kill site.yml at random points and run it again: make test-interruption KILLS=20 SEED=7
	@HAL_KILLS=$(KILLS) HAL_SEED=$(SEED) pytest -q -s tests/drills/test_interruption.py

.PHONY: test
test: test-tools ## Everything: lint, unit, roles, the lab end to end
	@python tests/run.py

.PHONY: lock
lock: tools ## Compile the hash-pinned locks in requirements/
	@requirements/lock.sh
