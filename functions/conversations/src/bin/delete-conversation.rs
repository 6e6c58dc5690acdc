fn main() -> std::process::ExitCode {
    conversations::delete_conversation::main()
}
