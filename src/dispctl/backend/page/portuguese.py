"""The page's sentences in Brazilian Portuguese, by their English; the refusals' among them."""

PORTUGUESE = {
    # Pages and signing in
    "Skip to the content": "Ir para o conteúdo",
    "Pages": "Páginas",
    "Now": "Agora",
    "Recipes": "Receitas",
    "Jars": "Frascos",
    "Boards": "Placas",
    "History": "Histórico",
    "Sign in": "Entrar",
    "Sign out": "Sair",
    "Name": "Nome",
    "Password": "Senha",
    "New here?": "Primeira vez aqui?",
    "Make an account": "Criar uma conta",
    "Make the account": "Criar a conta",
    "The same account is the tool's:": "A mesma conta serve para a ferramenta:",
    "A name and a password are needed.": "É preciso informar nome e senha.",
    "Name or password is wrong.": "Nome ou senha incorretos.",
    "This name is taken.": "Este nome já está em uso.",
    "Too many attempts; try again later.": "Tentativas demais; tente de novo mais tarde.",
    "Back": "Voltar",
    "Save": "Salvar",
    "That did not work": "Não deu certo",
    "To the overview": "Para a visão geral",
    "There is no such page.": "Esta página não existe.",
    "There is no such file.": "Este arquivo não existe.",
    "There is no job {job}.": "O job {job} não existe.",
    "There is no recipe {recipe}.": "A receita {recipe} não existe.",
    "There is no device {device}.": "A placa {device} não existe.",
    "This form is out of date. Load the page again and send it once more.": (
        "Este formulário está desatualizado. Recarregue a página e envie de novo."
    ),
    "The database did not answer; try again.": "O banco de dados não respondeu; tente de novo.",
    "The backend does not answer. This is how it was at {time}.": (
        "O servidor não responde. Isto é como estava às {time}."
    ),
    # A job
    "Job {job}": "Job {job}",
    "Job {job}: {state}.": "Job {job}: {state}.",
    "Waiting for a board": "Esperando uma placa",
    "Pouring": "Servindo",
    "Done": "Concluído",
    "Partial success": "Sucesso parcial",
    "Failed": "Falhou",
    "Cancelled": "Cancelado",
    "A recipe that is gone": "Uma receita que não existe mais",
    "for 1 person": "para 1 pessoa",
    "for {count} people": "para {count} pessoas",
    "It is handed to the next board that asks.": "Vai para a próxima placa que perguntar.",
    "No board is online: the job waits until one is.": (
        "Nenhuma placa está online: o job espera até que uma esteja."
    ),
    "A board is pouring. The bars show the plan; the board reports when all is poured.": (
        "Uma placa está servindo. As barras mostram o planejado; a placa informa o resultado no fim."
    ),
    "The board cannot be heard at the moment. It goes on pouring, and reports when it is back.": (
        "A placa está sem contato no momento. Ela continua servindo e informa o resultado quando voltar."
    ),
    "By the plan all is poured: the report is awaited.": (
        "Pelo planejado, tudo já foi servido: falta o relatório da placa."
    ),
    "about {seconds} s left": "faltam cerca de {seconds} s",
    "Everything was poured.": "Tudo foi servido.",
    "{done} of {all} were poured; the rest was not. The stock was taken off for what was poured alone.": (
        "{done} de {all} foram servidos; o resto não. O estoque foi abatido só do que foi servido."
    ),
    "{done} of {all} were poured before that.": "{done} de {all} foram servidos antes disso.",
    "Nothing was poured.": "Nada foi servido.",
    "The job failed.": "O job falhou.",
    "A board had taken the job and may go on pouring it; what was poured is shown here when it reports.": (
        "Uma placa já tinha o job e pode continuar servindo; o que foi servido aparece aqui com o relatório dela."
    ),
    "Poured": "Servido",
    "Waits": "Na fila",
    "Not known yet": "Ainda não se sabe",
    "Not poured": "Não servido",
    "Pouring, estimated": "Servindo (estimado)",
    "Poured, estimated": "Servido (estimado)",
    "{spice}: estimated progress": "{spice}: progresso estimado",
    "Why:": "Motivo:",
    "Sent": "Enviado",
    "taken": "recebido",
    "ended": "terminado",
    "Pour again what is missing": "Servir de novo o que falta",
    "Cancel…": "Cancelar…",
    "Cancel job {job}": "Cancelar o job {job}",
    "No board has taken the job yet: nothing will be poured.": (
        "Nenhuma placa recebeu o job ainda: nada será servido."
    ),
    "The board has the job and may pour it to its end; its report is still taken, with the stock.": (
        "A placa já tem o job e pode servi-lo até o fim; o relatório dela ainda vale, com o estoque."
    ),
    "Nothing of job {job} can be poured again.": "Nada do job {job} pode ser servido de novo.",
    "Job {job} has ended already.": "O job {job} já terminou.",
    "Another job ({job}) is active.": "Outro job ({job}) está em andamento.",
    "Another job is active.": "Outro job está em andamento.",
    "Cancelled by the operator.": "Cancelado por quem opera.",
    "The report does not name this item.": "O relatório não menciona este item.",
    "The board gave no reason.": "A placa não deu o motivo.",
    "Nothing has been sent yet": "Nada foi enviado ainda",
    "Older jobs": "Jobs mais antigos",
    # The overview
    "The dispenser now": "O dispenser agora",
    "Send a recipe below. What the dispenser does with it is shown here.": (
        "Envie uma receita abaixo. O que o dispenser faz com ela aparece aqui."
    ),
    "In the jars": "Nos frascos",
    "Fill or change": "Encher ou alterar",
    "Send a recipe": "Enviar uma receita",
    "New recipe": "Nova receita",
    "There is no recipe yet.": "Ainda não há receita.",
    "Write the first one": "Escreva a primeira",
    # Jars
    "Jar": "Frasco",
    "Jar {jar}": "Frasco {jar}",
    "Jar {jar}:": "Frasco {jar}:",
    "not used": "sem uso",
    "stock not kept": "estoque não informado",
    "Stock of {spice}": "Estoque de {spice}",
    "no rate set": "sem calibração",
    "Empty": "Vazio",
    "Low": "Pouco",
    "Spice": "Tempero",
    "Rate": "Vazão",
    "Stock": "Estoque",
    "What is in each jar, how fast it pours, and how much is left. Leave the stock empty where nobody keeps it.": (
        "O que há em cada frasco, com que vazão serve e quanto resta. Deixe o estoque em branco onde ninguém o controla."
    ),
    "Jar {jar}: the spice's name may have 60 characters.": (
        "Frasco {jar}: o nome do tempero pode ter até 60 caracteres."
    ),
    "Jar {jar}: the rate is a number above 0, at most 1000 grams a second.": (
        "Frasco {jar}: a vazão é um número maior que 0, até 1000 gramas por segundo."
    ),
    "Jar {jar}: the stock is a number of grams from 0 to 1,000,000.": (
        "Frasco {jar}: o estoque é um número de gramas de 0 a 1.000.000."
    ),
    "Jar {jar} has changed since this page was shown, and nothing was saved. Here is how it is now.": (
        "O frasco {jar} mudou desde que esta página foi aberta, e nada foi salvo. Veja como ele está agora."
    ),
    # Recipes
    "Change": "Alterar",
    "Change a recipe": "Alterar uma receita",
    "no jar": "sem frasco",
    "People": "Pessoas",
    "Send": "Enviar",
    "For how many people": "Para quantas pessoas",
    "Ingredient {place}": "Ingrediente {place}",
    "Grams": "Gramas",
    "The amounts are for all of these people together.": "As quantidades são para todas essas pessoas juntas.",
    "Delete this recipe…": "Excluir esta receita…",
    "Delete the recipe": "Excluir a receita",
    "Jobs that were made from it stay in the history.": "Os jobs feitos com ela ficam no histórico.",
    "A recipe needs a name of at most 120 characters.": "A receita precisa de um nome de até 120 caracteres.",
    "Portions are a whole number from 1 to 20.": "O número de pessoas é um inteiro de 1 a 20.",
    "Each ingredient needs a spice and an amount from 0.1 g to 500 g, in steps of 0.1 g; at least one.": (
        "Cada ingrediente precisa de um tempero e de 0,1 g a 500 g, em passos de 0,1 g; ao menos um ingrediente."
    ),
    "The number of people is a whole number from 1 to 100.": "O número de pessoas é um inteiro de 1 a 100.",
    "No jar holds {spice}.": "Nenhum frasco contém {spice}.",
    "Jar {jar} ({spice}) has no calibration.": "O frasco {jar} ({spice}) não tem calibração.",
    "Not enough stock in jar {jar} ({spice}): {needed:g} g are needed, {left:g} g are left.": (
        "Estoque insuficiente no frasco {jar} ({spice}): são necessários {needed:g} g, restam {left:g} g."
    ),
    # Boards
    "Your boards": "Suas placas",
    "Add a board": "Adicionar uma placa",
    "No board belongs to you yet.": "Você ainda não tem nenhuma placa.",
    "online": "online",
    "offline": "offline",
    "last heard of": "último contato",
    "firmware": "firmware",
    "New code": "Novo código",
    "for one board, until": "para uma placa, até",
    "Make a code and give it to the board:": "Gere um código e informe-o à placa:",
    "Forget…": "Esquecer…",
    "Forget {board}": "Esquecer {board}",
    "Its token is void from then on: it has to be given a new code.": (
        "O token dela deixa de valer: será preciso um novo código."
    ),
    "No claim code is free; try again.": "Nenhum código está livre; tente de novo.",
}
